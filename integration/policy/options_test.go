package policy

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// dialling are the structs with the options of the functions that make a
// connection.
var dialling = map[string]string{
	"adapters/imap": "Options", "adapters/smtp": "Options", "adapters/ldap": "Options", "adapters/xmpp": "Login",
}

// sharedOptions have one name, one type and one meaning in every adapter.
var sharedOptions = []string{"TLSConfig", "DialContext", "Address", "Secure", "EnforcesBinding", "StepTimeout", "Resolver", "Found", "Observe"}

// hostOptions are shared by the protocols in which a server may have a certificate for
// its own name. In XMPP the certificate is for the domain (RFC 6120 s13.7.1).
var hostOptions = []string{"AcceptHost"}

// option is a field with its type and its documentation.
type option struct{ kind, doc string }

// TestSharedOptions compares the dialling options of the adapters. XMPP has a
// domain where another protocol has a host, and its documentation may say more.
func TestSharedOptions(t *testing.T) {
	want := options(t, "adapters/imap", dialling["adapters/imap"])
	for folder, name := range dialling {
		got := options(t, folder, name)
		shared := sharedOptions
		if folder != "adapters/xmpp" {
			shared = slices.Concat(sharedOptions, hostOptions)
		}
		for _, field := range shared {
			ours, ok := got[field]
			if !ok {
				t.Errorf("%s: %s has no %s", folder, name, field)
				continue
			}
			if ours.kind != want[field].kind {
				t.Errorf("%s: %s.%s is a %s, and a %s elsewhere", folder, name, field, ours.kind, want[field].kind)
			}
			if doc := words(ours.doc); folder != "adapters/xmpp" && doc != words(want[field].doc) {
				t.Errorf("%s: the documentation of %s.%s differs:\n%s\n%s", folder, name, field, doc, words(want[field].doc))
			}
		}
	}
}

// words drops the ends of lines.
func words(doc string) string { return strings.Join(strings.Fields(doc), " ") }

// options returns the exported fields of a struct of a module.
func options(t *testing.T, folder, name string) map[string]option {
	t.Helper()
	found := map[string]option{}
	files, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok || spec.Name.Name != name {
				return true
			}
			structure, ok := spec.Type.(*ast.StructType)
			if !ok {
				return true
			}
			for _, field := range structure.Fields.List {
				for _, ident := range field.Names {
					found[ident.Name] = option{types.ExprString(field.Type), field.Doc.Text()}
				}
			}
			return false
		})
	}
	if !slices.ContainsFunc(sharedOptions, func(f string) bool { return found[f] != option{} }) {
		t.Errorf("%s has no struct %s with options", folder, name)
	}
	return found
}
