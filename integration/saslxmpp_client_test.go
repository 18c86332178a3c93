package integration

import (
	"context"
	"crypto/tls"
	"encoding/xml"
	"net"
	"strings"
	"testing"
	"time"

	"mellium.im/xmlstream"
	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"
	"mellium.im/xmpp/stanza"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	"github.com/saslkit/saslkit/channelbinding/transport"
	"github.com/saslkit/saslkit/integration/internal/harness"
)

// xmppLogin is how a test logs in.
type xmppLogin struct {
	address string
	config  *tls.Config
	direct  bool
	login   saslxmpp.Login
	// server, if set, is where the connection goes instead.
	server string
}

// at returns where the connection goes.
func (l *xmppLogin) at(srv *harness.XMPPServer) string {
	switch {
	case l.server != "":
		return l.server
	case l.direct:
		return srv.Direct
	}
	return srv.STARTTLS
}

func (l *xmppLogin) connect(t *testing.T, srv *harness.XMPPServer) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", l.at(srv))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if !l.direct {
		return conn
	}
	secured, err := transport.Handshake(t.Context(), conn, jid.MustParse(l.address).Domainpart(), "", l.config)
	if err != nil {
		t.Fatal(err)
	}
	return secured
}

func (l *xmppLogin) run(ctx context.Context, t *testing.T, srv *harness.XMPPServer) (*xmpp.Session, saslxmpp.Outcome, error) {
	t.Helper()
	l.login.TLSConfig, l.login.Address, l.login.TLS = l.config, l.at(srv), saslxmpp.StartTLS
	if l.direct {
		l.login.TLS = saslxmpp.DirectTLS
	}
	session, outcome, err := l.login.Dial(ctx, jid.MustParse(l.address))
	if session != nil {
		t.Cleanup(func() { session.Conn().Close() })
	}
	return session, outcome, err
}

func xmppConfig(srv *harness.XMPPServer, version uint16) *tls.Config {
	return &tls.Config{RootCAs: srv.CA, MinVersion: version, MaxVersion: version}
}

// everyXMPPWay runs a test over both kinds and both versions of TLS.
func everyXMPPWay(t *testing.T, test func(t *testing.T, srv *harness.XMPPServer, direct bool, version uint16)) {
	for kind, direct := range map[string]bool{"STARTTLS": false, "direct": true} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(kind+"/"+tls.VersionName(version), func(t *testing.T) {
				t.Parallel()
				test(t, harness.Prosody(t), direct, version)
			})
		}
	}
}

// chats sends presence, and a message to the session itself, and waits for it.
func chats(t *testing.T, s *xmpp.Session) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	defer context.AfterFunc(ctx, func() { s.Conn().Close() })()
	if s.LocalAddr().Resourcepart() == "" {
		t.Errorf("no resource: %v", s.LocalAddr())
	}
	if err := s.Send(ctx, stanza.Presence{Type: stanza.AvailablePresence}.Wrap(nil)); err != nil {
		t.Fatal(err)
	}
	body := xmlstream.Wrap(xmlstream.Token(xml.CharData("to myself")), xml.StartElement{Name: xml.Name{Local: "body"}})
	if err := s.Send(ctx, stanza.Message{To: s.LocalAddr(), Type: stanza.ChatMessage}.Wrap(body)); err != nil {
		t.Fatal(err)
	}
	received := make(chan string, 1)
	served := make(chan error, 1)
	go func() {
		served <- s.Serve(xmpp.HandlerFunc(func(r xmlstream.TokenReadEncoder, start *xml.StartElement) error {
			if start.Name.Local == "message" {
				var text strings.Builder
				for {
					token, err := r.Token()
					if data, ok := token.(xml.CharData); ok {
						text.Write(data)
					}
					if err != nil || token == nil {
						break
					}
				}
				received <- text.String()
			}
			return nil
		}))
	}()
	select {
	case got := <-received:
		if got != "to myself" {
			t.Errorf("received %q", got)
		}
	case err := <-served:
		t.Errorf("the session ended: %v", err)
		return
	case <-ctx.Done():
		t.Error("nothing was received")
	}
	s.Close()
	s.Conn().Close()
	<-served
}
