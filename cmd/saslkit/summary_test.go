package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// goIdentifier finds the exported names of Go in a text.
var goIdentifier = regexp.MustCompile(`\b[A-Z][a-z]+[A-Z]\w*|\b\w*[a-z]\.[A-Z]\w+`)

// notInTheCommand are texts that name Go identifiers and that the command cannot
// print, because it sets the field or because the text is of a server's side.
var notInTheCommand = []string{
	"an invalid BindingName", "set Client.Mechanisms", "the Tokens have no store", "the Tokens have no username", "set Credential.Password",
	"PlainRecordServer", "Server.", "set Existing.", "ServerInfo.CarriesLayer is set", "set Options.Mechanisms", "set Options.LoginCommand", "use DialURL", "saslldap.DialURL", "set Login.", "there is no sasl.Client", "the LOGIN command has no Credentials",
}

// TestNoIdentifier shows that flagNames leaves no Go identifier in the texts of the
// library's errors.
func TestNoIdentifier(t *testing.T) {
	texts := 0
	for _, folder := range []string{"core", "channelbinding", "adapters"} {
		err := filepath.WalkDir(filepath.Join("../..", folder), func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && (entry.Name() == "sasltest" || entry.Name() == "internal"):
				return filepath.SkipDir
			case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
				return nil
			}
			for _, text := range errorTexts(t, path) {
				texts++
				if found := goIdentifier.FindString(flagNames.Replace(text)); found != "" && !strings.HasSuffix(found, "TLS") && !strings.HasSuffix(found, "iB") && !isExcepted(text) {
					t.Errorf("%s: the text %q names %s: give flagNames other words", path, text, found)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	if texts < 200 {
		t.Errorf("only %d texts", texts)
	}
}

func isExcepted(text string) bool {
	for _, part := range notInTheCommand {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

var makesError = regexp.MustCompile(`Errorf$|^New$|Error$|^classed$`)

// errorTexts returns the literals in the calls of a file that make errors.
func errorTexts(t *testing.T, path string) (texts []string) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		name := ""
		switch function := call.Fun.(type) {
		case *ast.Ident:
			name = function.Name
		case *ast.SelectorExpr:
			name = function.Sel.Name
		}
		for _, argument := range call.Args {
			if literal, ok := argument.(*ast.BasicLit); ok && literal.Kind == token.STRING && makesError.MatchString(name) {
				text, _ := strconv.Unquote(literal.Value)
				texts = append(texts, text)
			}
		}
		return true
	})
	return texts
}
