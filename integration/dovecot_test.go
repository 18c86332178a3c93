package integration

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/saslkit/saslkit/integration/internal/harness"
)

func TestDovecotCapabilities(t *testing.T) {
	t.Parallel()
	unbound := []string{"AUTH=PLAIN", "AUTH=SCRAM-SHA-1", "AUTH=SCRAM-SHA-256", "AUTH=ANONYMOUS", "AUTH=EXTERNAL"}
	bound := []string{
		"AUTH=PLAIN", "AUTH=SCRAM-SHA-1", "AUTH=SCRAM-SHA-256", "AUTH=ANONYMOUS", "AUTH=EXTERNAL",
		"AUTH=SCRAM-SHA-1-PLUS", "AUTH=SCRAM-SHA-256-PLUS",
	}
	for _, variant := range []struct {
		name    string
		start   func(testing.TB) *harness.MailServer
		overTLS []string
	}{
		{"plus", harness.Dovecot, bound},
		{"no plus", harness.DovecotNoPlus, unbound},
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(variant.name+"/"+tls.VersionName(version), func(t *testing.T) {
				t.Parallel()
				srv := variant.start(t)
				config := &tls.Config{ServerName: srv.Host, RootCAs: srv.CA, MinVersion: version, MaxVersion: version}

				starttls := dialIMAP(t, srv.IMAP, nil)
				checkMechanisms(t, starttls.capabilities(t), append([]string{"STARTTLS"}, unbound...))
				starttls.startTLS(t, config)
				checkMechanisms(t, starttls.capabilities(t), variant.overTLS)
				checkMechanisms(t, dialIMAP(t, srv.IMAPS, config).capabilities(t), variant.overTLS)
			})
		}
	}
}

// checkMechanisms compares what a list of capabilities says about authentication.
func checkMechanisms(t *testing.T, capabilities, want []string) {
	t.Helper()
	got := slices.DeleteFunc(slices.Clone(capabilities), func(c string) bool {
		return !strings.HasPrefix(c, "AUTH=") && c != "STARTTLS" && c != "LOGINDISABLED"
	})
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if !slices.Contains(capabilities, "SASL-IR") {
		t.Errorf("no SASL-IR in %q", capabilities)
	}
}

func TestDovecotMailbox(t *testing.T) {
	t.Parallel()
	c := dialIMAP(t, harness.Dovecot(t).IMAP, nil)
	c.ok(t, "LOGIN alice secret")
	c.readMessage(t)
}

func TestDovecotUsers(t *testing.T) {
	t.Parallel()
	const refused = "NO [AUTHENTICATIONFAILED] Authentication failed."
	for _, test := range []struct{ name, password, want string }{
		{"alice", "secret", ""},
		{"alice", "hunter2", refused},
		{"bob", "hunter2", ""},
		{"carol", "secret", "NO [CONTACTADMIN] Gone"},
		{"carol", "hunter2", refused},
		{"dora", "swordfish", ""},
		{"us,er=1", "p\u00e4ssw\u00f6rd", ""},
		{"us,er=1", "pa\u0308sswo\u0308rd", refused}, // PLAIN does not prepare it, and neither does the server
		{"nobody", "secret", refused},
	} {
		t.Run(fmt.Sprintf("%s %q", test.name, test.password), func(t *testing.T) {
			t.Parallel()
			srv := harness.Dovecot(t)
			c := dialIMAP(t, srv.IMAPS, &tls.Config{ServerName: srv.Host, RootCAs: srv.CA})
			_, got := c.command(t, "AUTHENTICATE PLAIN "+base64("\x00"+test.name+"\x00"+test.password))
			if test.want == "" {
				if !strings.HasPrefix(got, "OK ") {
					t.Fatalf("got %q, want OK", got)
				}
				c.readMessage(t)
			} else if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestDovecotAnonymous(t *testing.T) {
	t.Parallel()
	c := dialIMAP(t, harness.Dovecot(t).IMAP, nil)
	c.ok(t, "AUTHENTICATE ANONYMOUS "+base64("trace"))
	c.readMessage(t)
}

func TestDovecotExternal(t *testing.T) {
	t.Parallel()
	srv := harness.Dovecot(t)
	config := &tls.Config{ServerName: srv.Host, RootCAs: srv.CA}
	if _, got := dialIMAP(t, srv.IMAPS, config).command(t, "AUTHENTICATE EXTERNAL ="); !strings.HasPrefix(got, "NO ") {
		t.Errorf("without a certificate: got %q, want NO", got)
	}
	config.Certificates = []tls.Certificate{harness.NewPKI().ClientCert("alice")}
	if _, got := dialIMAP(t, srv.IMAPS, config).command(t, "AUTHENTICATE EXTERNAL ="); !strings.HasPrefix(got, "NO ") {
		t.Errorf("with another authority's certificate: got %q, want NO", got)
	}
	config.Certificates = []tls.Certificate{srv.PKI.ClientCert("alice")}
	c := dialIMAP(t, srv.IMAPS, config)
	c.ok(t, "AUTHENTICATE EXTERNAL =")
	c.readMessage(t)
}
