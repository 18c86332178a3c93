package integration

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/go-ldap/ldap/v3"

	saslimap "github.com/saslkit/saslkit/adapters/imap"
	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
)

// historic returns the mechanisms that PasswordMechanisms leaves out.
func historic(credentials sasl.Credentials) []sasl.Mechanism {
	return []sasl.Mechanism{sasl.Login(credentials), sasl.CRAMMD5(credentials), sasl.DigestMD5(credentials)}
}

var wrongPassword = sasl.Password("alice", "wrong-5a5a")

// checkHistoric logs in with each of them, first with a wrong password, and then with the
// right one on the same connection. Refused looks at the error of the protocol.
func checkHistoric(t *testing.T, name string, dial func() func(context.Context, *sasl.Client) (sasl.Result, error), refused func(error) bool, then func()) {
	t.Helper()
	right := historic(alice)
	for i, m := range historic(wrongPassword) {
		login := dial()
		auth, trace := traced(m)
		_, err := login(t.Context(), auth)
		if !errors.Is(err, sasl.ErrAuthentication) || !refused(err) || hints(err) != "password" {
			t.Errorf("%s, %s, wrong password: %v, hints %q", name, m.Name(), err, hints(err))
		} else if strings.Contains(err.Error()+strings.Join(*trace, "\n"), "5a5a") {
			t.Errorf("%s, %s: the password is in %v or %q", name, m.Name(), err, *trace)
		}
		auth, trace = traced(right[i])
		result, err := login(t.Context(), auth)
		if err != nil || result.Mechanism != m.Name() || result.Username != "alice" || result.Binding != "" {
			t.Errorf("%s, %s: %+v, %v", name, m.Name(), result, err)
			continue
		}
		if strings.Contains(strings.Join(*trace, "\n"), "secret") {
			t.Errorf("%s, %s: the password is in %q", name, m.Name(), *trace)
		}
		then()
	}
}

// TestSASLIMAPHistoric: LOGIN, CRAM-MD5 and DIGEST-MD5 of Dovecot.
func TestSASLIMAPHistoric(t *testing.T) {
	t.Parallel()
	everyIMAPClient(t, harness.DovecotHistoric, func(t *testing.T, _ *harness.MailServer, dial func() imapLogin) {
		var last imapLogin
		checkHistoric(t, "Dovecot", func() func(context.Context, *sasl.Client) (sasl.Result, error) {
			last = dial()
			return last.authenticate
		}, func(err error) bool {
			var own *imap.Error
			return errors.As(err, &own) && own.Code == "AUTHENTICATIONFAILED"
		}, func() { read(t, last.client()) })
	})
}

// TestSASLSMTPHistoric: those of the two backends of Postfix.
func TestSASLSMTPHistoric(t *testing.T) {
	t.Parallel()
	everySMTPWay(t, func(t *testing.T, dial func(harness.Submission, *tls.Config) smtpClient, version uint16) {
		srv := harness.PostfixHistoric(t)
		for service, at := range map[string]harness.Submission{"Dovecot": srv.DovecotSASL, "Cyrus": srv.CyrusHistoric} {
			var last smtpClient
			checkHistoric(t, service, func() func(context.Context, *sasl.Client) (sasl.Result, error) {
				last = dial(at, srv.ClientConfig(version))
				return last.authenticate
			}, func(err error) bool {
				var reply *saslsmtp.Reply
				return errors.As(err, &reply) && reply.Code == 535 && reply.Enhanced == [3]int{5, 7, 8}
			}, func() {
				if err := last.submit("bob@"+srv.Host, t.Name()); err != nil {
					t.Errorf("%s, submission: %v", service, err)
				}
			})
		}
	})
}

// TestSASLLDAPHistoric: those of OpenLDAP, which has them from Cyrus SASL.
func TestSASLLDAPHistoric(t *testing.T) {
	t.Parallel()
	everyLDAPWay(t, harness.OpenLDAP, func(t *testing.T, srv *harness.LDAPServer, dial dialLDAP, version uint16) {
		var last *saslldap.Client
		checkHistoric(t, "OpenLDAP", func() func(context.Context, *sasl.Client) (sasl.Result, error) {
			last = dial(srv.ClientConfig(version))
			return func(ctx context.Context, auth *sasl.Client) (sasl.Result, error) { return last.SASLBind(ctx, auth) }
		}, func(err error) bool {
			var own *ldap.Error
			return errors.As(err, &own) && own.ResultCode == ldap.LDAPResultInvalidCredentials
		}, func() { checkIdentity(t, last, aliceDN) })
	})
}

// TestLoginInitialResponse: Dovecot and Cyrus SASL take the username as the initial
// response of LOGIN.
func TestLoginInitialResponse(t *testing.T) {
	t.Parallel()
	auth := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.LoginInitialResponse(alice)}}
	srv := harness.DovecotHistoric(t)
	if _, err := implicit(t, srv, srv.ClientConfig(0)).Authenticate(t.Context(), auth); err != nil {
		t.Errorf("IMAP: %v", err)
	}
	submission := harness.PostfixHistoric(t)
	for service, at := range map[string]harness.Submission{"Dovecot": submission.DovecotSASL, "Cyrus": submission.CyrusHistoric} {
		for library, dial := range smtpLibraries {
			client, err := dial(t, at, false, submission.ClientConfig(0))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.authenticate(t.Context(), auth); err != nil {
				t.Errorf("%s, %s: %v", service, library, err)
			}
		}
	}
}

// sending is a connection that keeps a copy of the octets that the client sends.
type sending struct {
	net.Conn
	mutex sync.Mutex
	sent  bytes.Buffer
}

func (c *sending) Write(b []byte) (int, error) {
	c.mutex.Lock()
	c.sent.Write(b)
	c.mutex.Unlock()
	return c.Conn.Write(b)
}

func (c *sending) said(text string) bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return strings.Contains(c.sent.String(), text)
}

// TestHistoricInsecure shows that without TLS not even the name of the mechanism is sent,
// although the servers would take the password, unless the caller names the mechanism.
func TestHistoricInsecure(t *testing.T) {
	t.Parallel()
	type authenticate = func(context.Context, *sasl.Client) (sasl.Result, error)
	mail, submission, directory := harness.DovecotHistoric(t), harness.PostfixHistoric(t), harness.OpenLDAP(t)
	for server, row := range map[string]struct {
		address string
		open    func(conn net.Conn) authenticate
	}{
		"Dovecot": {mail.IMAP, func(conn net.Conn) authenticate {
			c, err := saslimap.NewConn(t.Context(), conn, mail.Host, nil)
			return opened(t, c, err).Authenticate
		}},
		"Postfix": {submission.CyrusHistoric.STARTTLS, func(conn net.Conn) authenticate {
			c, err := saslsmtp.NewConn(t.Context(), conn, submission.Host, nil)
			if err != nil {
				t.Fatal(err)
			}
			return c.Authenticate
		}},
		"OpenLDAP": {directory.LDAP, func(conn net.Conn) authenticate {
			return openLDAP(t, "ldap://"+directory.Host, &saslldap.Options{
				NoStartTLS: true, DialContext: func(context.Context, string, string) (net.Conn, error) { return conn, nil },
			}).SASLBind
		}},
	} {
		for _, m := range slices.Concat(historic(alice), []sasl.Mechanism{sasl.LoginInitialResponse(alice)}) {
			conn := &sending{Conn: dialByHand(t, row.address, nil)}
			login := row.open(conn)
			if _, err := login(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{m}}); !errors.Is(err, sasl.ErrPolicy) {
				t.Errorf("%s, %s: %v", server, m.Name(), err)
			}
			if conn.said(m.Name()) || conn.said("alice") || conn.said("secret") {
				t.Errorf("%s, %s: something of it was sent", server, m.Name())
			}
			named := &sasl.Client{Mechanisms: []sasl.Mechanism{m}, Allow: sasl.AllowInsecure(m.Name())}
			if _, err := login(t.Context(), named); err != nil || !conn.said(m.Name()) {
				t.Errorf("%s, %s, named: %v", server, m.Name(), err)
			}
		}
	}
}
