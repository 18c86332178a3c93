package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

var (
	goVersion   = regexp.MustCompile(`(?m)^go (\S+)$`)
	requirement = regexp.MustCompile(`(?m)^(?:require |\t)(\S+) (v\S+)$`)
)

// versionTable returns what each adapter is made for: the version of Go and those
// of the libraries that its code, without tests, imports. A requirement that is
// marked as indirect is another library's.
func versionTable(root string) (string, error) {
	folders, err := adapterModules(root)
	if err != nil {
		return "", err
	}
	lines := []string{"| module | Go | libraries |", "|---|---|---|"}
	for _, folder := range folders {
		text, err := os.ReadFile(filepath.Join(root, folder, "go.mod"))
		if err != nil {
			return "", err
		}
		a, err := readAdapter(filepath.Join(root, folder))
		if err != nil {
			return "", err
		}
		var libraries []string
		for _, match := range requirement.FindAllStringSubmatch(string(text), -1) {
			if !strings.HasPrefix(match[1], prefix) && a.isImported(match[1]) {
				libraries = append(libraries, match[1]+" "+match[2])
			}
		}
		line := "| " + folder + " | " + goVersion.FindStringSubmatch(string(text))[1] + " | " + orDash(libraries, ", ") + " |"
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n") + "\n", nil
}

// isImported reports whether the code imports a package of the module.
func (a *adapter) isImported(module string) bool {
	for _, imported := range a.imports {
		if imported == module || strings.HasPrefix(imported, module+"/") {
			return true
		}
	}
	return false
}
