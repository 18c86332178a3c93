package saslxmpp_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"
	"mellium.im/xmpp/stanza"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

const offersBind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"

// binding logs in at a server that answers the request for a resource with a text,
// in which ID stands for the ID of the request.
func binding(t *testing.T, success, answer string) (*xmpp.Session, saslxmpp.Outcome, error) {
	t.Helper()
	near, far := sasltest.Pair(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer far.Close()
		c := newTalk(far)
		if c.waits(streamEnd) == "" {
			return
		}
		c.conn.Write([]byte(streamHeader + features(sasl2)))
		c.waits("</authenticate>")
		c.conn.Write([]byte(success2(success) + features(offersBind)))
		_, id, _ := strings.Cut(c.waits("</iq>"), "id=\"")
		id, _, _ = strings.Cut(id, "\"")
		c.conn.Write([]byte(strings.ReplaceAll(answer, "ID", id)))
		c.waits("never")
	}()
	session, outcome, err := negotiate(t.Context(), near, &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), Secure: true}, xmpp.BindResource())
	near.Close()
	<-done
	return session, outcome, err
}

// waits returns the octets of the peer up to a text or to the end of the stream.
func (c *talk) waits(end string) string {
	var heard strings.Builder
	for !strings.HasSuffix(heard.String(), end) {
		b, err := c.reader.ReadByte()
		if err != nil {
			return ""
		}
		heard.WriteByte(b)
	}
	return heard.String()
}

func bindResult(children string) string {
	return "<iq xmlns='jabber:client' type='result' id='ID'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>" + children + "</bind></iq>"
}

func bindFailure(children string) string {
	return "<iq xmlns='jabber:client' type='error' id='ID'>" + children + "</iq>"
}

// TestBind: a session belongs to the identity that has authenticated, and has a
// resource.
func TestBind(t *testing.T) {
	conflict := "<conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>pencil, you say?</text>"
	for name, row := range map[string]struct {
		success, answer string
		class           sasl.Class
		address         string
		text            string // in the library's error
	}{
		"a resource":           {identified, bindResult("<jid>user@example.org/r</jid>"), "", "user@example.org/r", ""},
		"another domain":       {identified, bindResult("<jid>user@example.net/r</jid>"), sasl.ErrProtocol, "", ""},
		"somebody else":        {identified, bindResult("<jid>root@example.org/r</jid>"), sasl.ErrProtocol, "", ""},
		"nobody":               {identified, bindResult("<jid>example.org/r</jid>"), sasl.ErrProtocol, "", ""},
		"no resource":          {identified, bindResult("<jid>user@example.org</jid>"), sasl.ErrProtocol, "", ""},
		"no address":           {identified, bindResult("<jid>@</jid>"), sasl.ErrProtocol, "", ""},
		"nothing":              {identified, bindResult(""), sasl.ErrProtocol, "", ""},
		"refused":              {identified, bindFailure("<error type='cancel'>" + conflict + "</error>"), sasl.ErrAuthorization, "", ""},
		"refused with a text":  {identified, bindFailure("<error type='cancel'>" + strings.Replace(conflict, "pencil, you say", "tablet, you say", 1) + "</error>"), sasl.ErrAuthorization, "", "tablet, you say?"},
		"refused for a while":  {identified, bindFailure("<error type='wait'>" + conflict + "</error>"), sasl.ErrTemporary, "", ""},
		"refused without why":  {identified, bindFailure(""), sasl.ErrProtocol, "", ""},
		"refused with an echo": {identified, bindFailure("<error type='cancel'><pencil xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"), sasl.ErrAuthorization, "", ""},
		"refused with little":  {identified, bindFailure("<error/>"), sasl.ErrAuthorization, "", ""},
		"another answer":       {identified, "<message xmlns='jabber:client'/>", sasl.ErrProtocol, "", ""},
		"nobody authenticated": {"<authorization-identifier>example.org</authorization-identifier>", "", sasl.ErrProtocol, "", ""},
		"the stream ends":      {identified, "<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>pencil</text></stream:error>", sasl.ErrConnection, "", ""},
		"an echo for XML":      {identified, "<pencil><a></pencil>", sasl.ErrProtocol, "", ""},
		"an echo that is one":  {identified, bindResult("<jid>pencil@example.net/r</jid>"), sasl.ErrProtocol, "", ""},
		"bound unasked":        {identified + "<bound xmlns='urn:xmpp:bind:0'/>", "", sasl.ErrProtocol, "", ""},
		"bound unasked, named": {boundInline, "", sasl.ErrProtocol, "", ""},
	} {
		session, outcome, err := binding(t, row.success, row.answer)
		if sasl.ClassOf(err) != row.class || err != nil && strings.Contains(err.Error(), "pencil") {
			t.Errorf("%s: %v, want %s", name, err, row.class)
		}
		if err == nil && (session.LocalAddr().String() != row.address || session.State()&xmpp.Ready == 0) {
			t.Errorf("%s: %v, %v", name, session.LocalAddr(), session.State())
		}
		known := sasl.Result{Mechanism: "PLAIN", Username: "user", RoundTrips: 1}
		if row.answer == "" { // the answer to PLAIN is invalid
			known.RoundTrips = 0
		}
		if err != nil && (outcome.Result != known || outcome.Address.String() != "" || outcome.Extensions != nil) {
			t.Errorf("%s: the outcome is %+v", name, outcome)
		}
		if refused := (stanza.Error{}); strings.Contains(row.answer, "conflict") && (!errors.As(err, &refused) || refused.Condition != stanza.Conflict || refused.Text[""] != row.text) {
			t.Errorf("%s: the library's error is %#v", name, refused)
		}
	}
}

// TestNoBind: a server offers no resource, to a client that requests a certain one
// and to a client that does not.
func TestNoBind(t *testing.T) {
	for _, asked := range []string{address, address + "/phone"} {
		end := strings.Replace(streamEnd, address, asked, 1)
		for name, turns := range map[string][]turn{
			"SASL":  {{end, streamHeader + features(mechanisms)}, {"</auth>", "<success" + ns1 + "/>"}, {end, streamHeader + features()}},
			"SASL2": {{end, streamHeader + features(sasl2)}, {"</authenticate>", success2(identified) + features()}},
		} {
			conn, heard := scripted(t, turns...)
			login := &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), Secure: true}
			_, err := xmpp.NewSession(t.Context(), jid.MustParse(host), jid.MustParse(asked), conn, 0, login.Negotiator(nil, xmpp.BindResource()))
			if !errors.Is(err, sasl.ErrProtocol) || !strings.Contains(err.Error(), "no resource") {
				t.Errorf("%s, %s: %v", name, asked, err)
			}
			heard()
		}
	}
}

// deaf is a connection whose handshake ignores its context.
type deaf struct{ net.Conn }

func (d deaf) HandshakeContext(context.Context) error {
	_, err := d.Read(make([]byte, 1))
	return err
}

// TestHandshakeEnds: a handshake ends with the context, also if the connection
// ignores it.
func TestHandshakeEnds(t *testing.T) {
	near, _ := sasltest.Pair(t)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	login := &saslxmpp.Login{Client: insecure(sasl.Plain(credentials))}
	if _, _, err := login.NewSession(ctx, jid.MustParse(address), deaf{near}); !errors.Is(err, context.Canceled) || !errors.Is(err, sasl.ErrConnection) {
		t.Error(err)
	}
}

// stateful is a connection without TLS that has a ConnectionState.
type stateful struct{ net.Conn }

func (stateful) ConnectionState() tls.ConnectionState { return tls.ConnectionState{} }

// TestStateOfNoTLS: a connection with a ConnectionState is not Secure for that
// reason.
func TestStateOfNoTLS(t *testing.T) {
	conn, heard := scripted(t, turn{streamEnd, streamHeader + features(offersTLS, mechanisms)},
		turn{offersTLS, "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"}, turn{"\x00", "HTTP/1.1 400"})
	login := &saslxmpp.Login{Client: insecure(sasl.Plain(credentials))}
	if _, _, err := login.NewSession(t.Context(), jid.MustParse(address), stateful{conn}); !errors.Is(err, sasl.ErrSecurity) {
		t.Error(err)
	}
	if said := heard(); strings.Contains(said, "<auth") || !strings.Contains(said, "<starttls") {
		t.Errorf("the client said %q", said)
	}
}

// releasing is a connection around another one that has something to release.
type releasing struct {
	net.Conn
	released *atomic.Bool
}

func (r releasing) NetConn() net.Conn { return r.Conn }

func (r releasing) Close() error {
	r.released.Store(true)
	return r.Conn.Close()
}

// TestRelease: a connection around another one is closed too.
func TestRelease(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	near, far := sasltest.Pair(t)
	var atServer, atClient atomic.Bool
	near.Close()
	if _, _, err := server.domain.Accept(t.Context(), releasing{far, &atServer}); err == nil || !atServer.Load() {
		t.Errorf("the server: released %t, %v", atServer.Load(), err)
	}
	near, far = sasltest.Pair(t)
	far.Close()
	login := &saslxmpp.Login{Client: insecure(sasl.Plain(credentials))}
	if _, _, err := login.NewSession(t.Context(), jid.MustParse(address), releasing{near, &atClient}); err == nil || !atClient.Load() {
		t.Errorf("the client: released %t, %v", atClient.Load(), err)
	}
}
