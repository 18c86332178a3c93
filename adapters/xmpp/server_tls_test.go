package saslxmpp_test

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"testing"

	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestServerNeedsTLS: without TLS the server refuses SASL2, also from a client that
// ignores the list.
func TestServerNeedsTLS(t *testing.T) {
	auth := sasltest.AllMechanisms()
	auth.Insecure = []string{"PLAIN"}
	server := serve(t, auth)
	server.domain.TLSConfig = nil // with it, the server offers nothing before TLS
	conn, served := server.connect(t, false)
	talk := newTalk(conn)
	talk.says(t, openStream)
	if features := talk.hears(t, "</stream:features>"); strings.Contains(features, "urn:xmpp:sasl:2") {
		t.Error(features)
	}
	for range 5 {
		talk.says(t, "<authenticate"+ns2+" mechanism='PLAIN'><initial-response>AHVzZXIAcGVuY2ls</initial-response></authenticate>")
		if got := talk.hears(t, "</failure>"); !strings.Contains(got, "<encryption-required"+ns1+"/>") {
			t.Error(got)
		}
	}
	if at := <-served; !errors.Is(at.err, sasl.ErrAuthentication) {
		t.Errorf("%+v", at)
	}
}

// TestServerTLSAfterwards: if there is STARTTLS, no client authenticates before it,
// and TLS does not start after the authentication.
func TestServerTLSAfterwards(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	conn, served := server.connect(t, false)
	talk := newTalk(conn)
	talk.says(t, openStream)
	talk.hears(t, "</stream:features>")
	talk.says(t, "<auth"+ns1+" mechanism='ANONYMOUS'/>")
	if at := <-served; !errors.Is(at.err, sasl.ErrProtocol) {
		t.Errorf("%+v", at)
	}
	talk, served = server.secured(t, host)
	talk.says(t, "<auth"+ns1+" mechanism='PLAIN'>AHVzZXIAcGVuY2ls</auth>")
	talk.hears(t, "<success"+ns1+"/>")
	talk.says(t, openStream)
	if features := talk.hears(t, "</stream:features>"); strings.Contains(features, "starttls") {
		t.Error(features)
	}
	talk.conn.Close()
	<-served
}

// TestServerStateOfNoTLS: a connection with a ConnectionState, but without TLS, is
// offered STARTTLS.
func TestServerStateOfNoTLS(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	near, far := sasltest.Pair(t)
	done := make(chan error, 1)
	go func() {
		_, _, err := server.domain.Accept(context.Background(), stateful{far})
		done <- err
	}()
	login := &saslxmpp.Login{Client: &sasl.Client{Mechanisms: sasl.PasswordMechanisms(credentials)}, TLSConfig: &tls.Config{RootCAs: server.pool}}
	if _, outcome, err := login.NewSession(t.Context(), jid.MustParse(address), near); err != nil || outcome.Mechanism != "SCRAM-SHA-512-PLUS" {
		t.Errorf("%+v, %v", outcome, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	// Mechanisms that need no TLS.
	server.domain.TLSConfig, server.domain.Server.Insecure = nil, []string{"PLAIN"}
	near, far = sasltest.Pair(t)
	go func() {
		_, _, err := server.domain.Accept(context.Background(), stateful{far})
		done <- err
	}()
	if _, outcome, err := negotiate(t.Context(), near, &saslxmpp.Login{Client: insecure(sasl.Plain(credentials))}, xmpp.BindResource()); err != nil || outcome.SASL2 {
		near.Close()
		t.Errorf("without TLS: %+v, %v; server: %v", outcome, err, <-done)
		return
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}
