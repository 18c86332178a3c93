package policy

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

// mechanismName finds the name of a mechanism in a string.
var mechanismName = regexp.MustCompile(`\b(PLAIN|LOGIN|ANONYMOUS|EXTERNAL|OAUTHBEARER|XOAUTH2|CRAM-MD5|DIGEST-MD5|GSSAPI|GSS-SPNEGO|NTLM|OTP|SECURID)\b|SCRAM-|HT-SHA|GS2-`)

// ownFiles are the files of the mechanisms, by which mechanism they may name.
var ownFiles = map[string]*regexp.Regexp{
	"core/plain.go":        regexp.MustCompile(`^PLAIN$`),
	"core/login.go":        regexp.MustCompile(`^LOGIN$`),
	"core/cram_md5.go":     regexp.MustCompile(`^CRAM-MD5$`),
	"core/digest_md5.go":   regexp.MustCompile(`^DIGEST-MD5$`),
	"core/anonymous.go":    regexp.MustCompile(`^ANONYMOUS$`),
	"core/external.go":     regexp.MustCompile(`^EXTERNAL$`),
	"core/scram_hash.go":   regexp.MustCompile(`^SCRAM-$`),
	"core/hashed_token.go": regexp.MustCompile(`^HT-SHA$`),
	"core/oauthbearer.go":  regexp.MustCompile(`^OAUTHBEARER$`),
	"core/xoauth2.go":      regexp.MustCompile(`^XOAUTH2$`),

	"kerberos/gssapi.go": regexp.MustCompile(`^GSSAPI$`),
	"kerberos/gs2.go":    regexp.MustCompile(`^GS2-$`),
	"kerberos/spnego.go": regexp.MustCompile(`^GSS-SPNEGO$`),

	"adapters/imap/login_command.go": regexp.MustCompile(`^LOGIN$`), // IMAP's command
}

// TestMechanismNames: a mechanism is named in its own file and nowhere else, so
// that a mechanism of another module takes part in the same way. The command may
// name mechanisms, because people name them to it.
func TestMechanismNames(t *testing.T) {
	literals := 0
	for _, folder := range []string{"core", "channelbinding", "adapters", "kerberos"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, entry fs.DirEntry, err error) error {
			isTest := strings.HasSuffix(path, "_test.go") || strings.Contains(filepath.ToSlash(path), "/smtptest/")
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || isTest {
				return err
			}
			literals += checkNames(t, path)
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	if literals < 500 {
		t.Errorf("only %d strings were looked at", literals)
	}
}

// checkNames looks at every string of a file and returns how many there are.
func checkNames(t *testing.T, path string) (literals int) {
	t.Helper()
	relative, err := filepath.Rel(root, path)
	if err != nil {
		t.Fatal(err)
	}
	own := ownFiles[filepath.ToSlash(relative)]
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		literal, ok := n.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return true
		}
		literals++
		text, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		if found := mechanismName.FindString(text); found != "" && (own == nil || !own.MatchString(found)) {
			t.Errorf("%s:%d: %q names the mechanism %s", relative, set.Position(literal.Pos()).Line, text, found)
		}
		return true
	})
	return literals
}
