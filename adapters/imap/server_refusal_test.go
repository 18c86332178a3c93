package saslimap

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestRefusalFor: what a client learns of a reason. Only a refusal of the
// credentials is AUTHENTICATIONFAILED: an error of LoggedIn without a class is a
// fault of the server, and the client must not take it for a wrong password. No
// reason goes out in its own words, unless it is an *imap.Error.
func TestRefusalFor(t *testing.T) {
	own := &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeInUse, Text: "one session at a time"}
	for _, row := range []struct {
		reason error
		want   string
	}{
		{errors.New("the disk of /var/mail is full"), "imap: NO [UNAVAILABLE] Authentication is not available at the moment"},
		{fmt.Errorf("%w: user root", sasl.ErrAuthentication), "imap: NO [AUTHENTICATIONFAILED] Authentication failed"},
		{fmt.Errorf("%w: a wrong binding", sasl.ErrSecurity), "imap: NO [AUTHENTICATIONFAILED] Authentication failed"},
		{fmt.Errorf("%w: user root", sasl.ErrAuthorization), "imap: NO [AUTHORIZATIONFAILED] Not allowed for this identity"},
		{fmt.Errorf("%w: byte 5", sasl.ErrProtocol), "imap: BAD Malformed authentication exchange"},
		{fmt.Errorf("%w: none", sasl.ErrPolicy), "imap: NO [CANNOT] Mechanism not offered"},
		{fmt.Errorf("%w: down", sasl.ErrTemporary), "imap: NO [UNAVAILABLE] Authentication is not available at the moment"},
		{fmt.Errorf("%w: no key", sasl.ErrConfig), "imap: NO [UNAVAILABLE] Authentication is not available at the moment"},
		{fmt.Errorf("%w: lost", sasl.ErrConnection), "imap: NO [UNAVAILABLE] Authentication is not available at the moment"},
		{fmt.Errorf("session: %w", own), "imap: NO [INUSE] one session at a time"},
	} {
		if got := refusalFor(row.reason); got.Error() != row.want {
			t.Errorf("%v: %v, want %s", row.reason, got, row.want)
		}
	}
}

// TestLoggedInRefuses: a client sees an error of LoggedIn without a class as a
// temporary one, and is not authenticated.
func TestLoggedInRefuses(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	server.failing.Store(true)
	c, err := DialTLS(t.Context(), host+":993", &Options{TLSConfig: server.client, Address: server.implicit})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	client := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(credentials)}}
	if _, err := c.Authenticate(t.Context(), client); sasl.ClassOf(err) != sasl.ErrTemporary {
		t.Error(err)
	}
	if reason := receive(t, server.refusals); reason.Error() != "temporary error: the disk of /var/mail is full" {
		t.Error(reason)
	}
}

// unfinishedListener accepts connections that claim TLS and have no state of it.
type unfinishedListener struct{ net.Listener }

func (l unfinishedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return unfinished{&closing{Conn: conn}}, err
}

// TestServerUnknownTLSState: a server that does not know what a connection proves
// offers nothing on it, and refuses what was not offered.
func TestServerUnknownTLSState(t *testing.T) {
	auth := sasltest.AllMechanisms()
	server := imapserver.New(&imapserver.Options{
		Caps: imap.CapSet{imap.CapIMAP4rev1: {}}, InsecureAuth: true, Logger: log.New(io.Discard, "", 0),
		NewSession: func(conn *imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return &memSession{ServerAuth: ServerAuth{Server: auth, Conn: conn}}, nil, nil
		},
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- server.Serve(unfinishedListener{listener}) }()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewConn(soon(t), conn, host, nil)
	if err != nil {
		t.Fatal(err)
	}
	if offered := c.ServerInfo().Mechanisms; len(offered) != 0 {
		t.Errorf("offered %q", offered)
	}
	c.setCapabilities("IMAP4rev1 AUTH=SCRAM-SHA-256")
	unbound := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.SCRAM(sasl.SHA256, credentials)}, Allow: plain.Allow}
	if _, err := c.Authenticate(soon(t), unbound); sasl.ClassOf(err) != sasl.ErrTemporary {
		t.Error(err)
	}
	c.Close()
	server.Close()
	listener.Close()
	<-done
}
