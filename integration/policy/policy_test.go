// Package policy holds the direction of imports and the dependencies of each
// module. It is a statement of policy: where it goes red, it is the code that
// changes.
package policy

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/saslkit/saslkit/integration/internal/absent"
)

const prefix = "github.com/saslkit/saslkit/"

// module says what the packages of a module may import besides the standard
// library and themselves. A name that ends in "/" stands for all below it.
type module struct {
	imports   []string
	tests     []string // only in its tests
	forbidden []string // of the standard library, outside tests
}

var modules = map[string]module{
	"core": {
		imports:   []string{"golang.org/x/text/", prefix + "core/internal/"},
		forbidden: []string{"net", "net/", "crypto/tls", "crypto/x509", "os", "log", "log/slog"},
	},
	"channelbinding": {
		imports: []string{prefix + "core"},
		tests:   []string{prefix + "core/sasltest"},
	},
	"adapters/imap": {
		imports: []string{prefix + "core", prefix + "channelbinding", prefix + "channelbinding/transport", "github.com/emersion/go-imap/v2", "github.com/emersion/go-imap/v2/", "github.com/emersion/go-sasl"},
		tests:   []string{prefix + "core/sasltest", "go.uber.org/goleak"},
	},
	"adapters/ldap": {
		imports: []string{prefix + "core", prefix + "channelbinding", prefix + "channelbinding/transport", "github.com/go-asn1-ber/asn1-ber", "github.com/go-ldap/ldap/v3"},
		tests:   []string{prefix + "core/sasltest", "go.uber.org/goleak"},
	},
	"adapters/smtp": {
		imports: []string{prefix + "core", prefix + "channelbinding", prefix + "channelbinding/transport", "github.com/emersion/go-smtp", "github.com/emersion/go-sasl"},
		tests:   []string{prefix + "adapters/smtp", prefix + "core/sasltest", "go.uber.org/goleak"},
	},
	"adapters/smtp/gomail": {
		imports: []string{prefix + "core", prefix + "adapters/smtp", "github.com/wneessen/go-mail/smtp"},
		tests:   []string{prefix + "adapters/smtp/internal/smtptest", prefix + "core/sasltest", "github.com/wneessen/go-mail", "go.uber.org/goleak"},
	},
	"adapters/xmpp": {
		imports: []string{prefix + "core", prefix + "channelbinding", prefix + "channelbinding/transport", "golang.org/x/net/idna", "mellium.im/xmlstream", "mellium.im/xmpp", "mellium.im/xmpp/"},
		tests:   []string{prefix + "adapters/xmpp", prefix + "core/sasltest", "go.uber.org/goleak", "mellium.im/sasl"},
	},
	"cmd/saslkit": {
		imports: []string{prefix + "core", prefix + "channelbinding", prefix + "channelbinding/transport", prefix + "adapters/", prefix + "kerberos", prefix + "kerberos/krb5", "github.com/emersion/go-imap/v2", "github.com/emersion/go-imap/v2/", "github.com/emersion/go-sasl", "github.com/emersion/go-smtp", "github.com/go-ldap/ldap/v3", "mellium.im/xmpp", "mellium.im/xmpp/",
			"github.com/spf13/cobra", "github.com/spf13/cobra/doc", "github.com/spf13/pflag", "golang.org/x/net/idna", "golang.org/x/term"},
		tests: []string{prefix + "core/sasltest", "github.com/rogpeppe/go-internal/testscript"},
	},
	"docker": {},
	"examples/jwt": {
		imports: []string{prefix + "core", "github.com/golang-jwt/jwt/v5"},
		tests:   []string{prefix + "core/sasltest"},
	},
	"oauth2": {
		imports: []string{prefix + "core", "golang.org/x/oauth2"},
		tests:   []string{prefix + "core/sasltest", "go.uber.org/goleak", "golang.org/x/oauth2/clientcredentials"},
	},
	"kerberos": {
		imports: []string{prefix + "core"},
		tests:   []string{prefix + "kerberos", prefix + "kerberos/krb5", prefix + "core/sasltest"},
	},
	"integration": {
		imports: []string{prefix + "docker", "github.com/moby/moby/", "github.com/testcontainers/testcontainers-go", "github.com/testcontainers/testcontainers-go/"},
		tests:   []string{prefix, "github.com/emersion/", "github.com/go-ldap/ldap/v3", "github.com/wneessen/go-mail", "github.com/wneessen/go-mail/smtp", "golang.org/x/oauth2", "golang.org/x/oauth2/clientcredentials", "mellium.im/xmlstream", "mellium.im/xmpp", "mellium.im/xmpp/"},
	},
}

// The parts of core that may import more or less than core itself.
var parts = map[string]module{
	"kerberos/krb5":                   {imports: []string{prefix + "core", prefix + "kerberos", "github.com/jcmturner/gofork/encoding/asn1", "github.com/jcmturner/gokrb5/v8/"}, tests: []string{prefix + "kerberos", prefix + "kerberos/krb5", prefix + "core/sasltest"}},
	"core/sasltest":                   {imports: []string{prefix + "core"}},
	"adapters/smtp/internal/smtptest": {imports: []string{prefix + "adapters/smtp", prefix + "channelbinding", prefix + "core", prefix + "core/sasltest", "github.com/emersion/go-smtp"}},
	"integration/policy/generate":     {imports: []string{prefix + "channelbinding", prefix + "core", prefix + "core/sasltest"}, tests: []string{prefix + "integration/internal/absent"}},
	"core/verifier":                   {imports: []string{prefix + "core", "golang.org/x/crypto/"}, forbidden: []string{"net", "crypto/tls", "crypto/x509"}},
}

const root = "../.."

func TestMain(m *testing.M) {
	absent.Uncached() // the go command does not see that other modules changed
	os.Exit(m.Run())
}

func TestEveryModuleHasAPolicy(t *testing.T) {
	text, err := os.ReadFile(root + "/go.work")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^\t\./(.+)$`).FindAllStringSubmatch(string(text), -1)
	if len(found) != len(modules) {
		t.Errorf("go.work has %d modules, the policy %d", len(found), len(modules))
	}
	for _, match := range found {
		if _, ok := modules[match[1]]; !ok {
			t.Errorf("%s has no policy", match[1])
		}
	}
}

func TestImports(t *testing.T) {
	files := 0
	for name := range modules {
		err := filepath.WalkDir(filepath.Join(root, name), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") {
				return err
			}
			// A module below another is the other's folder too.
			if owner := moduleOf(path); owner != name {
				return nil
			}
			files++
			checkFile(t, name, path)
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	if files < 50 {
		t.Errorf("only %d files were looked at", files)
	}
}

// moduleOf returns the module that a file belongs to: the longest of those whose
// folder it is in.
func moduleOf(path string) (owner string) {
	relative, err := filepath.Rel(root, path)
	if err != nil {
		panic(err)
	}
	for name := range modules {
		if strings.HasPrefix(filepath.ToSlash(relative), name+"/") && len(name) > len(owner) {
			owner = name
		}
	}
	return owner
}

func checkFile(t *testing.T, name, path string) {
	relative, err := filepath.Rel(root, path)
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.ToSlash(filepath.Dir(relative))
	policy, ok := parts[folder]
	if !ok {
		policy = modules[name]
	}
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	isTest := strings.HasSuffix(path, "_test.go")
	for _, spec := range file.Imports {
		imported := strings.Trim(spec.Path.Value, `"`)
		first, _, _ := strings.Cut(imported, "/")
		switch {
		case imported == prefix+folder, strings.HasPrefix(imported, prefix+name+"/") && (isTest || name != "core"):
		case matches(policy.imports, imported):
		case isTest && matches(policy.tests, imported):
		case strings.Contains(first, "."):
			t.Errorf("%s imports %s", relative, imported)
		case !isTest && matches(policy.forbidden, imported) && !(folder == "core/sasltest"):
			t.Errorf("%s imports %s", relative, imported)
		}
	}
}

func matches(list []string, imported string) bool {
	return slices.ContainsFunc(list, func(allowed string) bool {
		return imported == allowed || strings.HasSuffix(allowed, "/") && strings.HasPrefix(imported, allowed)
	})
}

// TestRequirements: what a module's go.mod may name, so that nothing comes in
// through a test or a tool either.
func TestRequirements(t *testing.T) {
	allowed := map[string][]string{
		"core":           {"golang.org/x/text"},
		"channelbinding": {prefix + "core", "golang.org/x/text"},
	}
	requirement := regexp.MustCompile(`(?m)^(?:require |\t)(\S+) v\S+`)
	for name, want := range allowed {
		text, err := os.ReadFile(filepath.Join(root, name, "go.mod"))
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range requirement.FindAllStringSubmatch(string(text), -1) {
			if !slices.Contains(want, match[1]) {
				t.Errorf("%s requires %s", name, match[1])
			}
		}
	}
}
