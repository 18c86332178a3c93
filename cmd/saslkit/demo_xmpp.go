package main

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"time"

	"mellium.im/xmpp/jid"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	"github.com/saslkit/saslkit/channelbinding"
	sasl "github.com/saslkit/saslkit/core"
)

// demoXMPP is a server on mellium's sessions with our mechanisms. After a login
// the server discards everything that the client sends.
type demoXMPP struct {
	domain *saslxmpp.Domain
	hasty  bool
}

func newDemoXMPP(auth *sasl.Server, config *tls.Config, hasty bool) *demoXMPP {
	return &demoXMPP{&saslxmpp.Domain{
		Name: jid.MustParse(demoHost), Server: auth,
		TLSConfig: config, Leaf: channelbinding.LeafOf(config), TokenLifetime: time.Hour,
	}, hasty}
}

func (d *demoXMPP) serve(listener net.Listener) error {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go d.serveConn(conn)
	}
}

func (d *demoXMPP) serveConn(conn net.Conn) {
	defer conn.Close()
	if d.hasty {
		hastyXMPP(conn)
		return
	}
	session, _, err := d.domain.Accept(context.Background(), conn)
	if err == nil {
		io.Copy(io.Discard, session.Conn())
	}
}

// hastyXMPP announces success before the client has sent a message.
func hastyXMPP(conn net.Conn) {
	io.WriteString(conn, "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='1' from='"+demoHost+"' version='1.0'>"+
		"<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-256</mechanism></mechanisms></stream:features>"+
		"<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
	io.Copy(io.Discard, conn)
}
