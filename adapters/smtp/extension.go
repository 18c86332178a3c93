package saslsmtp

import (
	"slices"
	"strings"
)

// authKeyword reads the mechanisms out of the lines of an EHLO reply. The
// keyword may be in any case, and old servers write AUTH=LOGIN.
func authKeyword(lines []string) (mechanisms []string) {
	for _, line := range lines {
		line = strings.ToUpper(strings.TrimSpace(line))
		list, ok := strings.CutPrefix(line, "AUTH")
		if !ok || list != "" && list[0] != ' ' && list[0] != '=' {
			continue
		}
		for _, name := range strings.Fields(strings.TrimPrefix(list, "=")) {
			if !slices.Contains(mechanisms, name) {
				mechanisms = append(mechanisms, name)
			}
		}
	}
	return mechanisms
}
