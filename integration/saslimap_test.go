package integration

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	saslimap "github.com/saslkit/saslkit/adapters/imap"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
)

var alice = sasl.Password("alice", "secret")

var errLocked = errors.New("the keyring is locked")

// lockedKeyring are alice's credentials where the password cannot be had.
func lockedKeyring(context.Context, sasl.Prompt) (sasl.Credential, error) {
	return sasl.Credential{Username: "alice", Password: func(context.Context) (sasl.Secret, error) {
		return sasl.Secret{}, errLocked
	}}, nil
}

// open connects in one of the ways that a client can.
type open func(t *testing.T, srv *harness.MailServer, config *tls.Config) *saslimap.Conn

func implicit(t *testing.T, srv *harness.MailServer, config *tls.Config) *saslimap.Conn {
	t.Helper()
	conn, err := saslimap.DialTLS(t.Context(), srv.IMAPS, &saslimap.Options{TLSConfig: config})
	return opened(t, conn, err)
}

func startTLS(t *testing.T, srv *harness.MailServer, config *tls.Config) *saslimap.Conn {
	t.Helper()
	conn, err := saslimap.DialStartTLS(t.Context(), srv.IMAP, &saslimap.Options{TLSConfig: config})
	return opened(t, conn, err)
}

func opened(t *testing.T, conn *saslimap.Conn, err error) *saslimap.Conn {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// everyWay runs a test over both kinds and both versions of TLS.
func everyWay(t *testing.T, test func(t *testing.T, dial open, version uint16)) {
	for kind, dial := range map[string]open{"implicit": implicit, "STARTTLS": startTLS} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(kind+"/"+tls.VersionName(version), func(t *testing.T) {
				t.Parallel()
				test(t, dial, version)
			})
		}
	}
}

// dovecotBinding is what Dovecot can bind to.
func dovecotBinding(version uint16) string {
	if version == tls.VersionTLS12 {
		return "tls-unique"
	}
	return "tls-exporter"
}

// read fetches the one message of the mailbox with the client that the
// connection was handed over to: that only works for a user who is logged in.
func read(t *testing.T, client *imapclient.Client) {
	t.Helper()
	defer client.Close()
	if mailbox, err := client.Select("INBOX", nil).Wait(); err != nil || mailbox.NumMessages != 1 {
		t.Errorf("SELECT: %+v, %v", mailbox, err)
		return
	}
	messages, err := client.Fetch(imap.SeqSetNum(1), &imap.FetchOptions{Envelope: true}).Collect()
	if err != nil || len(messages) != 1 || messages[0].Envelope.Subject == "" {
		t.Errorf("FETCH: %+v, %v", messages, err)
	}
	if err := client.Logout().Wait(); err != nil {
		t.Errorf("LOGOUT: %v", err)
	}
}

// TestSASLIMAPEveryMechanism: what Dovecot offers, each by itself.
func TestSASLIMAPEveryMechanism(t *testing.T) {
	t.Parallel()
	everyWay(t, func(t *testing.T, dial open, version uint16) {
		srv := harness.Dovecot(t)
		for _, m := range []sasl.Mechanism{
			sasl.Plain(alice), sasl.Plain(alice.ActingAs("alice")),
			sasl.SCRAM(sasl.SHA1, alice), sasl.SCRAM(sasl.SHA256, alice), sasl.SCRAM(sasl.SHA256, alice.ActingAs("alice")),
			sasl.SCRAMPlus(sasl.SHA1, alice), sasl.SCRAMPlus(sasl.SHA256, alice), sasl.SCRAMPlus(sasl.SHA256, alice.ActingAs("alice")),
			sasl.Anonymous("sirhc"), sasl.External(""), sasl.External("alice"),
		} {
			config := srv.ClientConfig(version)
			if m.Name() == "EXTERNAL" {
				config.Certificates = []tls.Certificate{srv.PKI.ClientCert("alice")}
			}
			conn := dial(t, srv, config)
			result, err := conn.Authenticate(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{m}})
			if err != nil {
				t.Errorf("%s: %v", m.Name(), err)
				continue
			}
			binding := ""
			if strings.HasSuffix(m.Name(), "-PLUS") {
				binding = dovecotBinding(version)
			}
			if result.Mechanism != m.Name() || result.Binding != binding {
				t.Errorf("%s: %+v", m.Name(), result)
			}
			read(t, conn.Client(nil))
		}
	})
}

// TestSASLIMAPAutomatic: the Client of the README takes the strongest
// mechanism, and sends "y" or "n" if it cannot bind.
func TestSASLIMAPAutomatic(t *testing.T) {
	t.Parallel()
	everyWay(t, func(t *testing.T, dial open, version uint16) {
		for variant, row := range map[string]struct {
			start func(testing.TB) *harness.MailServer
			want  sasl.Result
		}{
			"plus":    {harness.Dovecot, sasl.Result{Mechanism: "SCRAM-SHA-256-PLUS", Binding: dovecotBinding(version), Username: "alice", RoundTrips: 3}},
			"no plus": {harness.DovecotNoPlus, sasl.Result{Mechanism: "SCRAM-SHA-256", Username: "alice", RoundTrips: 3}},
		} {
			srv := row.start(t)
			conn := dial(t, srv, srv.ClientConfig(version))
			var events []string
			auth := &sasl.Client{
				Mechanisms: sasl.PasswordMechanisms(alice),
				Trace:      func(e sasl.Event) { events = append(events, e.String()) },
			}
			result, err := conn.Authenticate(t.Context(), auth)
			if err != nil || result != row.want {
				t.Errorf("%s: %+v, %v, want %+v", variant, result, err, row.want)
				continue
			}
			flag := map[string]string{"plus": "C: p=" + row.want.Binding + ",,n=alice,", "no plus": "C: y,,n=alice,"}[variant]
			if len(events) < 2 || !strings.HasPrefix(events[1], flag) {
				t.Errorf("%s: trace %q, want %q", variant, events, flag)
			}
			read(t, conn.Client(nil))
		}
	})
}

// TestSASLIMAPUsers: a password that has to be prepared, a name that has to be
// escaped, and an account with a hash for one mechanism only.
func TestSASLIMAPUsers(t *testing.T) {
	t.Parallel()
	everyWay(t, func(t *testing.T, dial open, version uint16) {
		srv := harness.Dovecot(t)
		for _, credentials := range []sasl.Credentials{
			sasl.Password("us,er=1", "p\u00e4ssw\u00f6rd"),
			sasl.Password("us,er=1", "pa\u0308sswo\u0308rd"), // in decomposed form
			sasl.Password("dora", "swordfish"),
		} {
			conn := dial(t, srv, srv.ClientConfig(version))
			result, err := conn.Authenticate(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(credentials)})
			if err != nil || result.Mechanism != "SCRAM-SHA-256-PLUS" {
				t.Errorf("%+v, %v", result, err)
				continue
			}
			read(t, conn.Client(nil))
		}
	})
}

// TestSASLIMAPRefusals: each refusal has its class, leaves the connection in
// sync, and the right password follows on it.
func TestSASLIMAPRefusals(t *testing.T) {
	t.Parallel()
	everyWay(t, func(t *testing.T, dial open, version uint16) {
		srv := harness.Dovecot(t)
		for _, row := range []struct {
			name        string
			credentials sasl.Credentials
			class       sasl.Class
			code        imap.ResponseCode
		}{
			{"wrong password", sasl.Password("alice", "Secret"), sasl.ErrAuthentication, "AUTHENTICATIONFAILED"},
			{"unknown user", sasl.Password("nobody", "secret"), sasl.ErrAuthentication, "AUTHENTICATIONFAILED"},
			{"disabled user", sasl.Password("carol", "secret"), sasl.ErrAuthorization, "CONTACTADMIN"},
			{"foreign authzid", alice.ActingAs("bob"), sasl.ErrAuthentication, "AUTHENTICATIONFAILED"},
		} {
			for _, m := range []sasl.Mechanism{
				sasl.Plain(row.credentials), sasl.SCRAM(sasl.SHA1, row.credentials), sasl.SCRAM(sasl.SHA256, row.credentials),
				sasl.SCRAMPlus(sasl.SHA1, row.credentials), sasl.SCRAMPlus(sasl.SHA256, row.credentials),
			} {
				conn := dial(t, srv, srv.ClientConfig(version))
				_, err := conn.Authenticate(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{m}})
				var own *imap.Error
				if sasl.ClassOf(err) != row.class || !errors.As(err, &own) || own.Code != row.code {
					t.Errorf("%s, %s: %v (%+v)", row.name, m.Name(), err, own)
				}
				if _, err := conn.Authenticate(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)}); err != nil {
					t.Errorf("%s, %s, then: %v", row.name, m.Name(), err)
				}
				read(t, conn.Client(nil))
			}
		}
	})
}
