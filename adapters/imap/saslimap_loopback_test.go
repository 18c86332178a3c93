package saslimap

import (
	"crypto/tls"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	gosasl "github.com/emersion/go-sasl"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

var credentials = sasl.Password("user", "pencil")

// dialBoth opens a Conn with implicit TLS and one with STARTTLS.
func (s *testServer) dialBoth(t *testing.T, config *tls.Config) map[string]*Conn {
	t.Helper()
	options := &Options{TLSConfig: config}
	implicit, err1 := DialTLS(t.Context(), s.implicit, options)
	startTLS, err2 := DialStartTLS(t.Context(), s.startTLS, options)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return map[string]*Conn{"implicit": implicit, "STARTTLS": startTLS}
}

// TestEveryMechanism logs in with every mechanism and binding over both kinds
// of TLS, and the client that is handed over works.
func TestEveryMechanism(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	for _, login := range sasltest.AllLogins(false, "") {
		config := server.client.Clone()
		config.MinVersion, config.MaxVersion = login.Version, login.Version
		config.Certificates = []tls.Certificate{server.user}
		for kind, conn := range server.dialBoth(t, config) {
			result, err := conn.Authenticate(t.Context(), login.Client)
			if err != nil || result != login.Want {
				t.Errorf("%v, %s: %+v, %v", &login, kind, result, err)
				conn.Close()
				continue
			}
			if seen := receive(t, server.logins); seen.Mechanism != result.Mechanism || seen.Binding != result.Binding {
				t.Errorf("%v, %s: the client has %+v, the server %+v", &login, kind, result, seen)
			}
			use(t, conn.Client(nil))
		}
	}
}

// use does something with a client that only works after the login.
func use(t *testing.T, client *imapclient.Client) {
	t.Helper()
	if _, err := client.Select("INBOX", nil).Wait(); err != nil {
		t.Errorf("SELECT: %v", err)
	}
	if client.Caps() == nil {
		t.Error("no capabilities")
	}
	if err := client.Logout().Wait(); err != nil {
		t.Errorf("LOGOUT: %v", err)
	}
	client.Close()
}

// TestAutomatic: the Client of the documentation uses the strongest mechanism.
func TestAutomatic(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	for kind, conn := range server.dialBoth(t, server.client) {
		result, err := conn.Authenticate(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(credentials)})
		want := sasl.Result{Mechanism: "SCRAM-SHA-512-PLUS", Binding: "tls-exporter", Username: "user", RoundTrips: 3}
		if err != nil || result != want {
			t.Errorf("%s: %+v, %v, want %+v", kind, result, err, want)
		}
		receive(t, server.logins)
		use(t, conn.Client(nil))
	}
}

// TestExternalOverTLS: the identity is the client certificate's.
func TestExternalOverTLS(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	auth := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.External("")}}
	for kind, conn := range server.dialBoth(t, server.client) {
		if _, err := conn.Authenticate(t.Context(), auth); !errors.Is(err, sasl.ErrAuthentication) {
			t.Errorf("%s, without a certificate: %v", kind, err)
		}
		receive(t, server.refusals)
		conn.Close()
	}
	config := server.client.Clone()
	config.Certificates = []tls.Certificate{server.user}
	for kind, conn := range server.dialBoth(t, config) {
		if _, err := conn.Authenticate(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.External("root")}}); !errors.Is(err, sasl.ErrAuthorization) {
			t.Errorf("%s, as root: %v", kind, err)
		}
		receive(t, server.refusals)
		if _, err := conn.Authenticate(t.Context(), auth); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if seen := receive(t, server.logins); seen.Username != "user" || seen.Mechanism != "EXTERNAL" {
			t.Errorf("%s: the server has %+v", kind, seen)
		}
		use(t, conn.Client(nil))
	}
}

// TestRefusals: the refusals of this package's server, and another attempt on the
// same connection.
func TestRefusals(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	type list = []sasl.Mechanism
	for name, row := range map[string]struct {
		mechanisms list
		class      sasl.Class
		code       imap.ResponseCode
		reason     sasl.Class // at the server, also if the client aborts
	}{
		"PLAIN, wrong password":  {list{sasl.Plain(sasl.Password("user", "Pencil"))}, sasl.ErrAuthentication, "AUTHENTICATIONFAILED", sasl.ErrAuthentication},
		"PLAIN, unknown user":    {list{sasl.Plain(sasl.Password("nobody", "pencil"))}, sasl.ErrAuthentication, "AUTHENTICATIONFAILED", sasl.ErrAuthentication},
		"PLAIN, another authzid": {list{sasl.Plain(credentials.ActingAs("root"))}, sasl.ErrAuthorization, "AUTHORIZATIONFAILED", sasl.ErrAuthorization},
		"SCRAM, wrong password":  {list{sasl.SCRAM(sasl.SHA256, sasl.Password("user", "Pencil"))}, sasl.ErrAuthentication, "", sasl.ErrAuthentication},
		"SCRAM, unknown user":    {list{sasl.SCRAM(sasl.SHA256, sasl.Password("nobody", "pencil"))}, sasl.ErrAuthentication, "", sasl.ErrAuthentication},
		// e=other-error does not tell the client more.
		"SCRAM, another authzid": {list{sasl.SCRAM(sasl.SHA256, credentials.ActingAs("root"))}, sasl.ErrAuthentication, "", sasl.ErrAuthorization},
	} {
		for kind, conn := range server.dialBoth(t, server.client) {
			_, err := conn.Authenticate(t.Context(), &sasl.Client{Mechanisms: row.mechanisms})
			var own *imap.Error
			if sasl.ClassOf(err) != row.class || row.code != "" && (!errors.As(err, &own) || own.Code != row.code) {
				t.Errorf("%s, %s: %v (%+v)", name, kind, err, own)
			}
			if reason := receive(t, server.refusals); sasl.ClassOf(reason) != row.reason {
				t.Errorf("%s, %s: the server's reason is %v", name, kind, reason)
			}
			if _, err := conn.Authenticate(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(credentials)}); err != nil {
				t.Errorf("%s, %s, then: %v", name, kind, err)
			}
			receive(t, server.logins)
			use(t, conn.Client(nil))
		}
	}
}

// TestForeignClient: the library's own PLAIN client, which does not know of
// our server.
func TestForeignClient(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	conn, err := tls.Dial("tcp", server.implicit, server.client)
	if err != nil {
		t.Fatal(err)
	}
	client := imapclient.New(conn, nil)
	var own *imap.Error
	if err := client.Authenticate(gosasl.NewPlainClient("", "user", "wrong")); !errors.As(err, &own) || own.Code != "AUTHENTICATIONFAILED" {
		t.Errorf("wrong password: %v", err)
	}
	receive(t, server.refusals)
	if err := client.Authenticate(gosasl.NewPlainClient("", "user", "pencil")); err != nil {
		t.Error(err)
	}
	receive(t, server.logins)
	use(t, client)
}

// TestNothingBeforeTLS: this package's server offers no mechanism with a password
// before TLS.
func TestNothingBeforeTLS(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	raw, err := net.Dial("tcp", server.startTLS)
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewConn(t.Context(), raw, host, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if offered := c.ServerInfo().Mechanisms; len(offered) != 0 {
		t.Errorf("offered before TLS: %q", offered)
	}
}

// TestUnsolicited: a response right behind the server's success is not lost in the
// hand-over.
func TestUnsolicited(t *testing.T) {
	c, err := NewConn(t.Context(), prompt(t,
		"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi",
		"<A1 AUTHENTICATE PLAIN "+plainMessage,
		"A1 OK [CAPABILITY IMAP4rev1 IDLE] welcome\r\n* BYE and goodbye"), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Authenticate(t.Context(), plain); err != nil {
		t.Fatal(err)
	}
	client := c.Client(nil)
	defer time.AfterFunc(5*time.Second, func() { client.Close() }).Stop()
	if err := client.WaitGreeting(); err != nil || client.State() != imap.ConnStateAuthenticated {
		t.Errorf("state %v, %v", client.State(), err)
	}
	if caps := client.Caps(); !caps.Has("IDLE") || caps.Has("AUTH=PLAIN") {
		t.Errorf("capabilities %v", caps)
	}
	client.Close()
}
