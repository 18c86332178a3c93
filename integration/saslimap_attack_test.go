package integration

import (
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2/imapclient"

	saslimap "github.com/saslkit/saslkit/adapters/imap"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
)

// TestSASLIMAPAbort: the client ends an exchange, here because the password
// cannot be had, and the next one succeeds on the same connection.
func TestSASLIMAPAbort(t *testing.T) {
	t.Parallel()
	everyWay(t, func(t *testing.T, dial open, version uint16) {
		srv := harness.Dovecot(t)
		conn := dial(t, srv, srv.ClientConfig(version))
		for range 3 {
			if _, err := conn.Authenticate(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(lockedKeyring)}); !errors.Is(err, sasl.ErrConfig) || !errors.Is(err, errLocked) {
				t.Fatal(err)
			}
		}
		if _, err := conn.Authenticate(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)}); err != nil {
			t.Fatal(err)
		}
		read(t, conn.Client(nil))
	})
}

// attacked is a server behind a man in the middle, whose certificate is of an
// authority that the client trusts, or is not.
func attacked(t *testing.T, srv *harness.MailServer, implicit bool, version uint16, pki *harness.PKI, fromServer func(string, bool) string) *harness.MailServer {
	t.Helper()
	server := srv.IMAP
	if implicit {
		server = srv.IMAPS
	}
	address := harness.MITM{
		Server: server, Upstream: srv.ClientConfig(version),
		Cert: pki.ServerCert(srv.Host), Implicit: implicit, FromServer: fromServer,
	}.Start(t)
	behind := *srv
	behind.IMAP, behind.IMAPS = address, address
	return &behind
}

// throughMITM runs a test over both kinds and both versions of TLS, with the
// man in the middle.
func throughMITM(t *testing.T, fromServer func(string, bool) string, test func(t *testing.T, dial func() *saslimap.Conn)) {
	for kind, dial := range map[string]open{"implicit": implicit, "STARTTLS": startTLS} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(kind+"/"+tls.VersionName(version), func(t *testing.T) {
				t.Parallel()
				srv := harness.Dovecot(t)
				behind := attacked(t, srv, kind == "implicit", version, srv.PKI, fromServer)
				test(t, func() *saslimap.Conn { return dial(t, behind, srv.ClientConfig(version)) })
			})
		}
	}
}

// TestSASLIMAPManInTheMiddle: somebody has a certificate that the client
// trusts. Without a binding the client cannot tell; bound, it does not get in.
func TestSASLIMAPManInTheMiddle(t *testing.T) {
	t.Parallel()
	throughMITM(t, nil, func(t *testing.T, dial func() *saslimap.Conn) {
		if _, err := dial().Authenticate(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice), Binding: sasl.DisableBinding}); err != nil {
			t.Errorf("not bound: %v", err)
		}
		_, err := dial().Authenticate(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)})
		// Dovecot's words are those for a wrong password.
		if !errors.Is(err, sasl.ErrAuthentication) || hints(err) != "password binding" {
			t.Errorf("bound: %v", err)
		}
	})
}

// TestSASLIMAPUntrusted: a certificate that the client does not trust.
func TestSASLIMAPUntrusted(t *testing.T) {
	t.Parallel()
	srv := harness.Dovecot(t)
	config := srv.ClientConfig(tls.VersionTLS13)
	for kind, implicit := range map[string]bool{"implicit": true, "STARTTLS": false} {
		behind := attacked(t, srv, implicit, tls.VersionTLS13, harness.NewPKI(), nil)
		dial := saslimap.DialStartTLS
		if implicit {
			dial = saslimap.DialTLS
		}
		if _, err := dial(t.Context(), behind.IMAP, &saslimap.Options{TLSConfig: config}); !errors.Is(err, sasl.ErrSecurity) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// TestSASLIMAPStripped: somebody whose certificate the client trusts takes
// what binds out of the list. The "y" flag tells the server, which refuses; a
// client that requires a binding sends nothing.
func TestSASLIMAPStripped(t *testing.T) {
	t.Parallel()
	throughMITM(t, withoutPlus, func(t *testing.T, dial func() *saslimap.Conn) {
		conn := dial()
		if _, err := conn.Authenticate(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice), Binding: sasl.RequireBinding}); !errors.Is(err, sasl.ErrPolicy) || !errors.Is(err, sasl.ErrSecurity) {
			t.Errorf("required: %v", err)
		}
		_, err := conn.Authenticate(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)})
		if !errors.Is(err, sasl.ErrAuthentication) || hints(err) != "password proxy" {
			t.Errorf("preferred: %v", err)
		}
	})
}

// TestSASLIMAPDecoy has an attacker who removes the mechanisms that bind from the list,
// and inserts another one that no client has.
func TestSASLIMAPDecoy(t *testing.T) {
	t.Parallel()
	decoy := func(line string, secured bool) string {
		return strings.Replace(withoutPlus(line, secured), " AUTH=PLAIN", " AUTH=PLAIN AUTH=OTHER-PLUS", 1)
	}
	throughMITM(t, decoy, func(t *testing.T, dial func() *saslimap.Conn) {
		_, err := dial().Authenticate(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)})
		if !errors.Is(err, sasl.ErrAuthentication) || hints(err) != "password proxy" {
			t.Error(err)
		}
	})
}

// TestSASLIMAPStrippedBeforeTLS: a list that was changed before TLS has no
// effect.
func TestSASLIMAPStrippedBeforeTLS(t *testing.T) {
	t.Parallel()
	srv := harness.Dovecot(t)
	// The relay only looks at what is in the clear, and passes TLS on.
	relay := relayPlain(t, srv.IMAP, func(line string) string {
		return strings.NewReplacer("AUTH=", "X-", "STARTTLS", "STARTTLS AUTH=PLAIN").Replace(line)
	})
	behind := *srv
	behind.IMAP = relay
	conn := startTLS(t, &behind, srv.ClientConfig(tls.VersionTLS13))
	result, err := conn.Authenticate(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)})
	if err != nil || result.Mechanism != "SCRAM-SHA-256-PLUS" {
		t.Errorf("%+v, %v", result, err)
	}
	read(t, conn.Client(nil))
}

// TestSASLIMAPInsecure: without TLS nothing of a password is sent, although
// Dovecot would take it.
func TestSASLIMAPInsecure(t *testing.T) {
	t.Parallel()
	srv := harness.Dovecot(t)
	dial := func() *saslimap.Conn {
		raw, err := net.Dial("tcp", srv.IMAP)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := saslimap.NewConn(t.Context(), raw, srv.Host, nil)
		return opened(t, conn, err)
	}
	if _, err := dial().Authenticate(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)}); !errors.Is(err, sasl.ErrPolicy) {
		t.Errorf("a password: %v", err)
	}
	conn := dial()
	if _, err := conn.Authenticate(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Anonymous("sirhc")}}); err != nil {
		t.Errorf("ANONYMOUS: %v", err)
	}
	read(t, conn.Client(nil))
	conn = dial()
	if _, err := conn.Authenticate(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice), Allow: sasl.AllowInsecure("SCRAM-SHA-1")}); err != nil {
		t.Errorf("what is named: %v", err)
	}
	read(t, conn.Client(nil))
}

// TestSASLIMAPExisting: a client of the library that was made elsewhere.
func TestSASLIMAPExisting(t *testing.T) {
	t.Parallel()
	srv := harness.Dovecot(t)
	dial := func() (*imapclient.Client, saslimap.Existing) {
		conn, err := tls.Dial("tcp", srv.IMAPS, srv.ClientConfig(tls.VersionTLS13))
		if err != nil {
			t.Fatal(err)
		}
		state := conn.ConnectionState()
		client := imapclient.New(conn, nil)
		t.Cleanup(func() { client.Close() })
		return client, saslimap.Existing{Host: srv.Host, TLS: &state}
	}
	client, existing := dial()
	if _, err := saslimap.Authenticate(t.Context(), client, &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)}, existing); !errors.Is(err, sasl.ErrPolicy) || !strings.Contains(err.Error(), "saslimap.NewConn") {
		t.Errorf("SCRAM: %v", err)
	}
	if _, err := saslimap.Authenticate(t.Context(), client, &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("alice", "wrong"))}}, existing); !errors.Is(err, sasl.ErrAuthentication) {
		t.Errorf("wrong password: %v", err)
	}
	if _, err := saslimap.Authenticate(t.Context(), client, &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(alice)}}, existing); err != nil {
		t.Errorf("PLAIN: %v", err)
	}
	read(t, client)

	// Dovecot 2.4 is a server of the kind that EqualsSign speaks of.
	client, existing = dial()
	existing.EqualsSign = true
	result, err := saslimap.Authenticate(t.Context(), client, &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)}, existing)
	if err != nil || result.Mechanism != "SCRAM-SHA-256-PLUS" {
		t.Errorf("SCRAM with =: %+v, %v", result, err)
	}
	read(t, client)
}
