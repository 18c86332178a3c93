package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/saslkit/saslkit/integration/internal/absent"
)

const root = "../../.."

func TestMain(m *testing.M) {
	absent.Uncached() // the go command does not see that other modules changed
	os.Exit(m.Run())
}

// TestPages: the generated sections are what the generator writes.
func TestPages(t *testing.T) {
	pages, err := generatedPages(root)
	if err != nil {
		t.Fatal(err)
	}
	if pages["README.md"] == nil || len(pages) < 5 {
		t.Errorf("only %d pages have generated sections", len(pages))
	}
	for name, want := range pages {
		got, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is out of date: run go run ./integration/policy/generate in the root of the workspace", name)
		}
	}
}

// TestTable: the table in README has a column for every adapter in go.work, and a
// row for every mechanism.
func TestTable(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(readme, []byte("<!-- generated: mechanisms -->\n| mechanism |")) {
		t.Error("README.md does not have the table of mechanisms")
	}
	table, err := mechanismTable(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []string{
		"| SCRAM-SHA-256-PLUS | tls-exporter, tls-server-end-point, tls-unique | C S | C | C S | C | C S |",
		"| PLAIN | - | C S | C | C S | C | C S |",
		"| HT-SHA-256-EXPR | tls-exporter | - | - | - | - | C S |",
	} {
		if !strings.Contains(table, "\n"+row) {
			t.Errorf("%q is not in\n%s", row, table)
		}
	}
}

// TestAdapters: README has the go.mod lines of every adapter in go.work, whose
// sides were found.
func TestAdapters(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	folders, err := adapterModules(root)
	if err != nil || len(folders) < 5 {
		t.Fatalf("go.work has the adapters %q, %v", folders, err)
	}
	for _, folder := range folders {
		a, err := readAdapter(filepath.Join(root, folder))
		if err != nil || !a.client {
			t.Errorf("%s: no client's side was found (%v)", folder, err)
		}
		if line := "<!-- generated: go.mod " + folder + " -->"; !bytes.Contains(readme, []byte(line)) {
			t.Errorf("README.md does not have the go.mod lines of %s: %s", folder, line)
		}
	}
}

// otherForms are constructors that make a mechanism of the table in another way.
var otherForms = []string{"PlainRecordServer", "LoginInitialResponse", "LoginRecordServer", "OAuthBearer", "XOAuth2"}

// TestConstructors: the table is made of every function of core that makes a
// mechanism, so that a new one cannot be left out.
func TestConstructors(t *testing.T) {
	used := names(t, "table.go") + names(t, filepath.Join(root, "core/sasltest/server.go"))
	found := 0
	files, err := filepath.Glob(filepath.Join(root, "core/*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file := parse(t, path)
		for _, declaration := range file.Decls {
			function, ok := declaration.(*ast.FuncDecl)
			if !ok || function.Recv != nil || !function.Name.IsExported() || function.Type.Results == nil {
				continue
			}
			switch types.ExprString(function.Type.Results.List[0].Type) {
			case "Mechanism", "[]Mechanism", "ServerMechanism", "[]ServerMechanism":
				found++
				if !slices.Contains(otherForms, function.Name.Name) && !strings.Contains(used, " "+function.Name.Name+" ") {
					t.Errorf("sasl.%s makes a mechanism: add it to clientMechanisms in table.go or to sasltest.AllMechanisms", function.Name.Name)
				}
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d functions make mechanisms", found)
	}
}

func parse(t *testing.T, path string) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// names returns the names that a file has after "sasl.", each between spaces.
func names(t *testing.T, path string) string {
	text := " "
	ast.Inspect(parse(t, path), func(n ast.Node) bool {
		if selector, ok := n.(*ast.SelectorExpr); ok && types.ExprString(selector.X) == "sasl" {
			text += selector.Sel.Name + " "
		}
		return true
	})
	return text
}

// TestConfigurations: a server in docker has a page, which shows each of its
// configurations.
func TestConfigurations(t *testing.T) {
	shown := 0
	for _, pattern := range []string{"*.conf", "*.cf", "*.lua"} {
		files, err := filepath.Glob(filepath.Join(root, "docker/*", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			page := "docs/servers/" + filepath.Base(filepath.Dir(path)) + ".md"
			text, err := os.ReadFile(filepath.Join(root, page))
			if err != nil {
				t.Error(err)
				continue
			}
			shown++
			relative, _ := filepath.Rel(root, path)
			if line := "<!-- generated: " + filepath.ToSlash(relative) + " -->"; !bytes.Contains(text, []byte(line)) {
				t.Errorf("%s does not show %s: add the lines\n%s\n<!-- end -->", page, relative, line)
			}
		}
	}
	if shown < 10 {
		t.Errorf("only %d configurations were found", shown)
	}
}
