package policy

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// imports are the packages that a block may use without an import of its own.
var imports = map[string]string{
	"context": "context", "errors": "errors", "fmt": "fmt", "io": "io", "log": "log", "net": "net", "os": "os", "tls": "crypto/tls",
	"sasl": prefix + "core", "saslkit": prefix + "core", "verifier": prefix + "core/verifier", "channelbinding": prefix + "channelbinding",
	"saslimap": prefix + "adapters/imap", "saslldap": prefix + "adapters/ldap", "saslsmtp": prefix + "adapters/smtp",
	"saslgomail": prefix + "adapters/smtp/gomail", "saslxmpp": prefix + "adapters/xmpp",
	"imapclient": "github.com/emersion/go-imap/v2/imapclient", "imapserver": "github.com/emersion/go-imap/v2/imapserver",
	"ldap": "github.com/go-ldap/ldap/v3", "smtp": "github.com/emersion/go-smtp", "netsmtp": "net/smtp",
	"mail": "github.com/wneessen/go-mail", "xmpp": "mellium.im/xmpp", "jid": "mellium.im/xmpp/jid",
}

// TestSnippets type-checks every Go block of README.md and docs. A block is
//
//   - a file, if it begins with "package",
//   - else declarations, if it parses so,
//   - else statements of a function that has ctx, err and auth, a *sasl.Client.
//
// The packages of imports are there, except in a file. The comment before a
// block declares everything else. Names that it declares and does not use are allowed.
// A block with "go foreign" behind its fence is not checked: it is for libraries
// that are in no go.mod here.
//
// The function takes a saslkit.Client, because sasl is another package in some
// blocks of docs/coming-from.md.
func TestSnippets(t *testing.T) {
	set := token.NewFileSet()
	var files []*ast.File
	for _, b := range blocks(t) {
		if b.info != "go" {
			if strings.HasPrefix(b.info, "go") && (b.info != "go foreign" || b.page != "docs/coming-from.md") {
				t.Errorf("%s:%d: a block of %q is not checked", b.page, b.line, b.info)
			}
			continue
		}
		file, err := parseBlock(set, b)
		if err != nil {
			t.Error(err)
			continue
		}
		files = append(files, file)
	}
	if len(files) < 20 {
		t.Errorf("only %d blocks were found", len(files))
	}
	lookup := exportData(t, files)
	for _, file := range files {
		config := types.Config{
			Importer: importer.ForCompiler(set, "gc", lookup),
			Error: func(err error) {
				if found := (types.Error{}); !errors.As(err, &found) || !found.Soft {
					t.Error(err)
				}
			},
		}
		config.Check("snippet", set, []*ast.File{file}, nil)
	}
}

// parseBlock makes a file of a block.
func parseBlock(set *token.FileSet, b block) (*ast.File, error) {
	if strings.HasPrefix(b.text, "package ") {
		return parser.ParseFile(set, "snippet", fmt.Sprintf("//line %s:%d\n%s", b.page, b.line, b.text), parser.SkipObjectResolution)
	}
	source := func(imports string) string {
		return fmt.Sprintf("package snippet\n%s%s\n//line %s:%d\n%s", imports, b.setup, b.page, b.line, b.text)
	}
	if _, err := parser.ParseFile(token.NewFileSet(), "", source(""), 0); err != nil {
		source = func(imports string) string {
			return fmt.Sprintf("package snippet\n%s%s\nfunc _(ctx context.Context, auth *saslkit.Client, err error) error {\n{\n//line %s:%d\n%s\n}\nreturn nil\n}\n",
				imports, b.setup, b.page, b.line, b.text)
		}
	}
	file, err := parser.ParseFile(token.NewFileSet(), "snippet", source(""), 0)
	if err != nil {
		return nil, err
	}
	return parser.ParseFile(set, "snippet", source(missingImports(file)), parser.SkipObjectResolution)
}

// missingImports returns the imports for the names that a file uses and neither
// declares nor imports.
func missingImports(file *ast.File) (text string) {
	var known []string
	for _, spec := range file.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		name := path.Base(imported)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		known = append(known, name)
	}
	for _, name := range file.Unresolved {
		if imported := imports[name.Name]; imported != "" && !slices.Contains(known, name.Name) {
			known = append(known, name.Name)
			text += fmt.Sprintf("import %s %q\n", name.Name, imported)
		}
	}
	return text
}

// exportData asks the go command, once, for the export data of the packages that
// the files import.
func exportData(t *testing.T, files []*ast.File) func(path string) (io.ReadCloser, error) {
	t.Helper()
	arguments := []string{"list", "-e", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}"}
	for _, file := range files {
		for _, spec := range file.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			arguments = append(arguments, imported)
		}
	}
	command := exec.CommandContext(t.Context(), "go", arguments...)
	if release != "" {
		command.Dir = releasedModules(t)
		command.Env = append(os.Environ(), "GOWORK=off")
		command.Args = slices.Insert(command.Args, 2, "-mod=mod")
	}
	var problems bytes.Buffer
	command.Stderr = &problems
	output, err := command.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &problems)
	}
	exports := make(map[string]string)
	for line := range strings.Lines(string(output)) {
		imported, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		exports[imported] = name
	}
	return func(imported string) (io.ReadCloser, error) {
		if exports[imported] == "" {
			return nil, fmt.Errorf("%s is in no go.mod of the workspace, or does not compile\n%s", imported, &problems)
		}
		return os.Open(exports[imported])
	}
}
