package saslxmpp_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

const (
	startTLSRequest = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
	proceed         = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
	success1        = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"
)

// play plays a server's turns, each after a pause.
func play(conn net.Conn, pause time.Duration, turns ...turn) error {
	c := newTalk(conn)
	for _, turn := range turns {
		for heard := ""; !strings.HasSuffix(heard, turn.hears); {
			b, err := c.reader.ReadByte()
			if err != nil {
				return err
			}
			heard += string(b)
		}
		time.Sleep(pause)
		io.WriteString(conn, turn.says)
	}
	return nil
}

// TestStepTimeout: a server that falls silent in a step ends that step at its
// limit, and the connection is closed.
func TestStepTimeout(t *testing.T) {
	certificate, pool := sasltest.Certificate(t, host)
	config := &tls.Config{Certificates: []tls.Certificate{certificate}}
	begin := turn{streamEnd, streamHeader + features(offersTLS, mechanisms)}
	list := turn{streamEnd, streamHeader + features(mechanisms)}
	auth := turn{"</auth>", success1}
	for name, row := range map[string]struct {
		start  saslxmpp.TLSStart
		before []turn // of the TLS handshake
		turns  []turn // after it; nil = no handshake
		step   transport.Step
	}{
		"accept":                    {saslxmpp.StartTLS, nil, nil, "greeting"},
		"accept, direct TLS":        {saslxmpp.DirectTLS, nil, nil, "handshake"},
		"after the stream header":   {saslxmpp.StartTLS, []turn{{streamEnd, streamHeader}}, nil, "greeting"},
		"in the features":           {saslxmpp.StartTLS, []turn{{streamEnd, streamHeader + "<stream:features>"}}, nil, "greeting"},
		"after the request for TLS": {saslxmpp.StartTLS, []turn{begin, {startTLSRequest, ""}}, nil, "starttls"},
		"after STARTTLS":            {saslxmpp.StartTLS, []turn{begin, {startTLSRequest, proceed}}, nil, "handshake"},
		"at the second list":        {saslxmpp.StartTLS, []turn{begin, {startTLSRequest, proceed}}, []turn{{streamEnd, streamHeader}}, "capabilities"},
		"after auth":                {saslxmpp.StartTLS, []turn{begin, {startTLSRequest, proceed}}, []turn{list}, ""},
		"after success":             {saslxmpp.StartTLS, []turn{begin, {startTLSRequest, proceed}}, []turn{list, auth}, ""},
		"at the resource":           {saslxmpp.StartTLS, []turn{begin, {startTLSRequest, proceed}}, []turn{list, auth, {streamEnd, streamHeader + features(offersBind)}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
			defer cancel()
			end := make(chan error, 1)
			address := sasltest.Listen(t, func(conn net.Conn) {
				err := play(conn, 0, row.before...)
				if row.turns != nil && err == nil {
					conn = tls.Server(conn, config)
					err = play(conn, 0, row.turns...)
				}
				if err == nil {
					_, err = io.Copy(io.Discard, conn)
				}
				end <- err
			})
			login := &saslxmpp.Login{
				Client: &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(credentials)}}, TLSConfig: &tls.Config{RootCAs: pool},
				TLS: row.start, Address: address, StepTimeout: 200 * time.Millisecond,
			}
			_, _, err := login.Dial(ctx, jid.MustParse("user@"+host))
			var step *transport.StepError
			if !errors.Is(err, sasl.ErrConnection) || !errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &step) != (row.step != "") {
				t.Errorf("%v", err)
			}
			if step != nil && (step.Step != row.step || step.Address != address) {
				t.Errorf("%v, want the step %s", err, row.step)
			}
			if err := <-end; errors.Is(err, os.ErrDeadlineExceeded) { // the server's own deadline
				t.Errorf("the server: %v", err)
			}
		})
	}
}

// TestStepTimeoutDrip: octets that come one by one do not make an answer last longer.
func TestStepTimeoutDrip(t *testing.T) {
	near, far := sasltest.Pair(t)
	go func() {
		for range 500 {
			if _, err := io.WriteString(far, " "); err != nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	login := &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), StepTimeout: 100 * time.Millisecond}
	begun := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, _, err := login.NewSession(ctx, jid.MustParse(address), near)
	if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begun) > 4*time.Second {
		t.Errorf("%v after %s", err, time.Since(begun))
	}
}

// TestStepTimeoutEach: the limit applies to each answer, not to all of them.
func TestStepTimeoutEach(t *testing.T) {
	near, far := sasltest.Pair(t)
	go play(far, 500*time.Millisecond, turn{streamEnd, streamHeader + features(offersTLS)}, turn{startTLSRequest, proceed}, turn{"\x00", "not TLS"})
	login := &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), StepTimeout: 800 * time.Millisecond}
	if _, _, err := login.NewSession(t.Context(), jid.MustParse(address), near); !errors.Is(err, sasl.ErrSecurity) {
		t.Error(err)
	}
}

// TestFeaturesStepTimeout: without the Negotiator the limit applies to the answers
// of the authentication.
func TestFeaturesStepTimeout(t *testing.T) {
	conn, heard := scripted(t, turn{streamEnd, streamHeader + features(mechanisms)})
	login := &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), StepTimeout: 50 * time.Millisecond}
	_, err := xmpp.NewSession(t.Context(), jid.MustParse(host), jid.MustParse(address), conn, xmpp.Secure, xmpp.NewNegotiator(
		func(*xmpp.Session, *xmpp.StreamConfig) xmpp.StreamConfig {
			return xmpp.StreamConfig{Features: login.Features(nil)}
		}))
	if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.Is(err, sasl.ErrConnection) {
		t.Error(err)
	}
	heard()
}

// TestNoTimeoutAfterwards: no limit of a step stays on a session that is ready.
func TestNoTimeoutAfterwards(t *testing.T) {
	const limit = 50 * time.Millisecond
	conn, heard := scripted(t, turn{streamEnd, streamHeader + features(sasl2)}, turn{"</authenticate>", success2(identified) + features()}, turn{"<late/>", "<message/>"})
	login := &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), Secure: true, StepTimeout: limit}
	session, _, err := negotiate(t.Context(), conn, login)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(4*limit, func() { io.WriteString(session.Conn(), "<late/>") })
	got := make([]byte, len("<message/>"))
	if _, err := io.ReadFull(session.Conn(), got); err != nil || string(got) != "<message/>" {
		t.Errorf("%q, %v", got, err)
	}
	session.Conn().Close()
	heard()
}

// TestDialAddress: the connection goes to the Address, with the TLS that the option TLS
// says, and without a look into the DNS. The domain is verified.
func TestDialAddress(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	direct, startTLS := server.listen(t, true), server.listen(t, false)
	for name, row := range map[string]struct {
		start   saslxmpp.TLSStart
		port    int
		address string
		class   sasl.Class
	}{
		"STARTTLS":           {saslxmpp.AnyTLS, startTLS, "user@" + host, ""},
		"STARTTLS only":      {saslxmpp.StartTLS, startTLS, "user@" + host, ""},
		"direct TLS":         {saslxmpp.DirectTLS, direct, "user@" + host, ""},
		"another domain":     {saslxmpp.DirectTLS, direct, "user@example.net", sasl.ErrSecurity},
		"direct, not spoken": {saslxmpp.DirectTLS, startTLS, "user@" + host, sasl.ErrConnection},
	} {
		var dialled []string
		login := &saslxmpp.Login{
			Client: &sasl.Client{Mechanisms: sasl.PasswordMechanisms(credentials)}, TLSConfig: &tls.Config{RootCAs: server.pool},
			TLS: row.start, Address: local(row.port), StepTimeout: 5 * time.Second,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				dialled = append(dialled, network+" "+address)
				return new(net.Dialer).DialContext(ctx, network, address)
			},
			Resolver: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
				t.Errorf("%s: the DNS is asked", name)
				return nil, net.ErrClosed
			}},
		}
		session, _, err := login.Dial(t.Context(), jid.MustParse(row.address))
		if sasl.ClassOf(err) != row.class || (session == nil) != (err != nil) {
			t.Errorf("%s: %v", name, err)
		}
		if len(dialled) != 1 || dialled[0] != "tcp "+local(row.port) {
			t.Errorf("%s: dialled %q", name, dialled)
		}
		if session != nil {
			session.Conn().Close()
		}
	}
	login := &saslxmpp.Login{Address: "mail.example.org"}
	if _, _, err := login.Dial(t.Context(), jid.MustParse(address)); !errors.Is(err, sasl.ErrConfig) {
		t.Errorf("an address without a port: %v", err)
	}
	if _, _, err := login.Dial(t.Context(), jid.JID{}); !errors.Is(err, sasl.ErrConfig) {
		t.Errorf("no domain: %v", err)
	}
}

// TestNoTLS: a connection is left without TLS, and the policy keeps a password off it.
func TestNoTLS(t *testing.T) {
	for name, row := range map[string]struct {
		client *sasl.Client
		turns  []turn
		class  sasl.Class
	}{
		"PLAIN is kept off": {&sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(credentials)}}, []turn{{streamEnd, streamHeader + features(offersTLS, mechanisms)}}, sasl.ErrPolicy},
		"allowed":           {insecure(sasl.Plain(credentials)), []turn{{streamEnd, streamHeader + features(offersTLS, mechanisms)}, {"</auth>", success1}, {streamEnd, "</stream:stream>"}}, sasl.ErrProtocol},
	} {
		conn, heard := scripted(t, row.turns...)
		login := &saslxmpp.Login{Client: row.client, TLS: saslxmpp.NoTLS}
		_, _, err := login.NewSession(t.Context(), jid.MustParse(address), conn)
		if sasl.ClassOf(err) != row.class {
			t.Errorf("%s: %v", name, err)
		}
		if said := heard(); strings.Contains(said, "<starttls") || strings.Contains(said, "<auth") != (name == "allowed") {
			t.Errorf("%s: the client said %s", name, said)
		}
	}
}
