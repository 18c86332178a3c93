package saslxmpp_test

import (
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"

	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

const offersTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"

// TestStartTLS: every obstacle to TLS has its class, and nothing of the password is
// sent before TLS.
func TestStartTLS(t *testing.T) {
	asked := turn{startTLSRequest, ""}
	for name, row := range map[string]struct {
		turns   []turn
		class   sasl.Class
		missing bool
	}{
		"not offered":        {[]turn{{streamEnd, streamHeader + features(mechanisms, sasl2)}}, sasl.ErrSecurity, true},
		"nothing offered":    {[]turn{{streamEnd, streamHeader + features()}}, sasl.ErrSecurity, true},
		"refused":            {[]turn{{streamEnd, streamHeader + features(offersTLS, mechanisms)}, {asked.hears, "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>"}}, sasl.ErrSecurity, true},
		"something else":     {[]turn{{streamEnd, streamHeader + features(offersTLS, mechanisms)}, {asked.hears, "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"}}, sasl.ErrProtocol, false},
		"no TLS":             {[]turn{{streamEnd, streamHeader + features(offersTLS, mechanisms)}, {asked.hears, "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"}, {"\x00", "HTTP/1.1 400"}}, sasl.ErrSecurity, false},
		"cut":                {[]turn{{streamEnd, streamHeader + features(offersTLS, mechanisms)}, {asked.hears, "</stream:stream>"}}, sasl.ErrConnection, false},
		"success beforehand": {[]turn{{streamEnd, streamHeader + features(offersTLS, mechanisms) + "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"}}, sasl.ErrProtocol, false},
	} {
		conn, heard := scripted(t, row.turns...)
		login := &saslxmpp.Login{Client: insecure(sasl.Plain(credentials))}
		if _, _, err := login.NewSession(t.Context(), jid.MustParse(address), conn); sasl.ClassOf(err) != row.class || errors.Is(err, transport.ErrNoStartTLS) != row.missing {
			t.Errorf("%s: %v, want %s", name, err, row.class)
		}
		if said := heard(); strings.Contains(said, "<auth") {
			t.Errorf("%s: the client said %s", name, said)
		}
		if name != "no TLS" {
			continue
		}
		// The library's own STARTTLS.
		conn, heard = scripted(t, row.turns...)
		if _, _, err := negotiate(t.Context(), conn, login, xmpp.StartTLS(&tls.Config{ServerName: host})); sasl.ClassOf(err) != row.class {
			t.Errorf("%s, with the library's feature: %v, want %s", name, err, row.class)
		}
		heard()
	}
}

// TestStartTLSInjection: data that somebody puts behind the answer to STARTTLS is
// noticed, also if it comes in the same read.
func TestStartTLSInjection(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	near, far := sasltest.Pair(t)
	port := server.listen(t, false)
	upstream, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	defer upstream.Close()
	go func() {
		buffer := make([]byte, 64<<10)
		for {
			n, err := upstream.Read(buffer)
			if err != nil {
				far.Close()
				return
			}
			text := string(buffer[:n])
			far.Write([]byte(strings.Replace(text, "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
				"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"+features(mechanisms)+"<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", 1)))
		}
	}()
	go func() {
		buffer := make([]byte, 64<<10)
		for {
			n, err := far.Read(buffer)
			if err != nil {
				upstream.Close()
				return
			}
			upstream.Write(buffer[:n])
		}
	}()
	login := &saslxmpp.Login{Client: &sasl.Client{Mechanisms: sasl.PasswordMechanisms(credentials)}, TLSConfig: &tls.Config{RootCAs: server.pool}}
	if _, outcome, err := login.NewSession(t.Context(), jid.MustParse(address), near); !errors.Is(err, sasl.ErrSecurity) || outcome.Mechanism != "" {
		t.Errorf("%+v, %v", outcome, err)
	}
	near.Close()
}
