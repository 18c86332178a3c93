package integration

import (
	"crypto/tls"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/saslkit/saslkit/integration/internal/harness"
)

const (
	postfixDovecotAuth = "AUTH PLAIN SCRAM-SHA-1 SCRAM-SHA-256 ANONYMOUS"
	postfixCyrusAuth   = "AUTH PLAIN SCRAM-SHA-1 SCRAM-SHA-224 SCRAM-SHA-256 SCRAM-SHA-384 SCRAM-SHA-512 ANONYMOUS"
)

type postfixService struct {
	name    string
	start   func(testing.TB) *harness.PostfixServer
	service func(*harness.PostfixServer) harness.Submission
	auth    string
}

// postfixServices are the services of both variants.
var postfixServices = []postfixService{
	{"Dovecot", harness.Postfix, dovecotSASL, postfixDovecotAuth},
	{"Cyrus", harness.Postfix, cyrusSASL, postfixCyrusAuth},
	{"plus Dovecot", harness.PostfixPlus, dovecotSASL, postfixDovecotAuth},
	{"plus Cyrus", harness.PostfixPlus, cyrusSASL, postfixCyrusAuth},
}

func dovecotSASL(srv *harness.PostfixServer) harness.Submission { return srv.DovecotSASL }
func cyrusSASL(srv *harness.PostfixServer) harness.Submission   { return srv.CyrusSASL }

// everyPostfixWay runs a test over all of them and both versions of TLS.
func everyPostfixWay(t *testing.T, test func(t *testing.T, srv *harness.PostfixServer, s postfixService, config *tls.Config)) {
	for _, s := range postfixServices {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(s.name+"/"+tls.VersionName(version), func(t *testing.T) {
				t.Parallel()
				srv := s.start(t)
				test(t, srv, s, srv.ClientConfig(version))
			})
		}
	}
}

func TestPostfixOffers(t *testing.T) {
	t.Parallel()
	everyPostfixWay(t, func(t *testing.T, srv *harness.PostfixServer, s postfixService, config *tls.Config) {
		at := s.service(srv)

		starttls := dialSMTP(t, at.STARTTLS, nil)
		starttls.checkAuth(t, s.auth, "STARTTLS")
		starttls.startTLS(t, config)
		starttls.checkAuth(t, s.auth)
		dialSMTP(t, at.Implicit, config).checkAuth(t, s.auth)
	})
}

// TestPostfixDelivers: what someone who has logged in submits arrives.
func TestPostfixDelivers(t *testing.T) {
	t.Parallel()
	everyPostfixWay(t, func(t *testing.T, srv *harness.PostfixServer, s postfixService, config *tls.Config) {
		at := s.service(srv)
		starttls := dialSMTP(t, at.STARTTLS, nil)
		starttls.startTLS(t, config)
		for kind, c := range map[string]*smtpConn{
			"cleartext": dialSMTP(t, at.STARTTLS, nil),
			"STARTTLS":  starttls,
			"implicit":  dialSMTP(t, at.Implicit, config),
		} {
			subject := fmt.Sprintf("%s by %s", t.Name(), kind)
			c.ok(t, 235, "AUTH PLAIN "+base64("\x00alice\x00secret"))
			c.submit(t, "alice@"+srv.Host, subject)
			checkDelivered(t, srv, subject)
		}
	})
}

// checkDelivered reads alice's mail. The server has queued a message before it says so, and delivers it afterwards.
func checkDelivered(t *testing.T, srv *harness.PostfixServer, subjects ...string) {
	t.Helper()
	c := dialIMAP(t, srv.IMAP, nil)
	c.startTLS(t, &tls.Config{ServerName: srv.Host, RootCAs: srv.CA})
	c.ok(t, "LOGIN alice secret")
	c.ok(t, "SELECT INBOX")
	deadline := time.Now().Add(10 * time.Second)
	for _, subject := range subjects {
		number, ok := c.search(t, subject)
		for ; !ok && time.Now().Before(deadline); number, ok = c.search(t, subject) {
			time.Sleep(10 * time.Millisecond)
		}
		if !ok {
			t.Errorf("%q did not arrive", subject)
		} else if text := strings.Join(c.ok(t, "FETCH "+number+" BODY.PEEK[TEXT]"), "\n"); !strings.Contains(text, "Submitted.") {
			t.Errorf("%q: %q", subject, text)
		}
	}
}

// search returns the number of a message, if it is there.
func (c *imapConn) search(t *testing.T, subject string) (number string, ok bool) {
	t.Helper()
	c.ok(t, "NOOP")
	return strings.CutPrefix(c.ok(t, fmt.Sprintf("SEARCH SUBJECT %q", subject))[0], "* SEARCH ")
}

func TestPostfixWantsAuthentication(t *testing.T) {
	t.Parallel()
	srv := harness.Postfix(t)
	for _, at := range []harness.Submission{srv.DovecotSASL, srv.CyrusSASL} {
		c := dialSMTP(t, at.STARTTLS, nil)
		c.ok(t, 250, "MAIL FROM:<sender@client.test>")
		want := "554 5.7.1 <alice@postfix.test>: Recipient address rejected: Access denied"
		if got := c.command(t, "RCPT TO:<alice@postfix.test>"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestPostfixRefuses: every way to fail looks alike, and leaves a connection that authenticates.
func TestPostfixRefuses(t *testing.T) {
	t.Parallel()
	srv := harness.Postfix(t)
	for _, service := range []struct{ name, address, reason string }{
		{"Dovecot", srv.DovecotSASL.STARTTLS, "(reason unavailable)"},
		{"Cyrus", srv.CyrusSASL.STARTTLS, "authentication failure"},
	} {
		for name, command := range map[string]string{
			"wrong password":        "AUTH PLAIN " + base64("\x00alice\x00hunter2"),
			"unknown user":          "AUTH PLAIN " + base64("\x00nobody\x00secret"),
			"denied user":           "AUTH PLAIN " + base64("\x00carol\x00secret"), // unknown to Cyrus SASL
			"another's name":        "AUTH PLAIN " + base64("bob\x00alice\x00secret"),
			"SCRAM by unknown user": "AUTH SCRAM-SHA-256 " + base64("n,,n=nobody,r=nonce"),
		} {
			t.Run(service.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				c := dialSMTP(t, service.address, nil)
				want := "535 5.7.8 Error: authentication failed: " + service.reason
				if got := c.command(t, command); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
				c.ok(t, 235, "AUTH PLAIN "+base64("\x00bob\x00hunter2"))
			})
		}
	}
}

// TestPostfixGS2Flag: who could bind and says so is refused where Dovecot could, though Postfix does not offer it.
func TestPostfixGS2Flag(t *testing.T) {
	t.Parallel()
	everyPostfixWay(t, func(t *testing.T, srv *harness.PostfixServer, s postfixService, config *tls.Config) {
		for _, flag := range []string{"n", "y"} {
			c := dialSMTP(t, s.service(srv).Implicit, config)
			got := c.command(t, "AUTH SCRAM-SHA-256 "+base64(flag+",,n=alice,r=nonce"))
			want := "334 " + base64("r=nonce")[:8] // up to where the server's part begins
			if s.name == "plus Dovecot" && flag == "y" {
				want = "535 5.7.8 Error: authentication failed: (reason unavailable)"
			}
			if !strings.HasPrefix(got, want) {
				t.Errorf("%s: got %q, want %q…", flag, got, want)
			}
		}
	})
}
