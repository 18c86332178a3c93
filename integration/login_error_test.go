package integration

import (
	"errors"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
)

// hints returns what a Client says may be behind an error, separated by spaces.
func hints(err error) string {
	var login *sasl.LoginError
	if !errors.As(err, &login) {
		return ""
	}
	var list []string
	for _, hint := range login.Hints {
		list = append(list, string(hint))
	}
	return strings.Join(list, " ")
}
