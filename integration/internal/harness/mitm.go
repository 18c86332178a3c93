package harness

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"sync"
	"testing"
)

// MITM is a man in the middle of an IMAP, SMTP, LDAP or XMPP connection: it ends the client's TLS with a certificate of its own
// and makes another TLS connection to the server. The messages before STARTTLS must be commands and answers in turn, without
// pipelining, chunks, and literals that do not wait for the server.
type MITM struct {
	Server   string          // the server's address
	Upstream *tls.Config     // for the connection to it
	Cert     tls.Certificate // for the client
	Implicit bool            // TLS from the first byte, instead of from STARTTLS on
	LDAP     bool            // its messages take the place of lines
	XMPP     bool            // the elements of its streams do

	// FromServer and FromClient, if not nil, get every line with its end, and whether TLS secured it. Their result
	// replaces the line, so "" drops the line. Each connection calls them from goroutines of its own.
	FromServer, FromClient func(line string, secured bool) string
}

// Start listens until the test ends, and returns the address that the client is to take for the server's.
func (m MITM) Start(tb testing.TB) string {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { m.attack(tb.Context(), client) })
		}
	})
	tb.Cleanup(func() {
		listener.Close()
		wg.Wait()
	})
	return listener.Addr().String()
}

// attack relays one connection until a side closes it or refuses the other's certificate, or ctx is done.
func (m MITM) attack(ctx context.Context, toClient net.Conn) {
	defer toClient.Close()
	toServer, err := new(net.Dialer).DialContext(ctx, "tcp", m.Server)
	if err != nil {
		return
	}
	defer toServer.Close()
	defer context.AfterFunc(ctx, func() {
		toClient.Close()
		toServer.Close()
	})()

	client, server := m.conn(toClient), m.conn(toServer)
	if !m.Implicit && !m.untilSTARTTLS(client, server) {
		return
	}
	serverTLS := tls.Client(server, m.Upstream)
	clientTLS := tls.Server(client, &tls.Config{Certificates: []tls.Certificate{m.Cert}})
	if serverTLS.HandshakeContext(ctx) != nil || clientTLS.HandshakeContext(ctx) != nil {
		return
	}
	client, server = m.conn(clientTLS), m.conn(serverTLS)
	var wg sync.WaitGroup
	wg.Go(func() {
		client.passAll(server, m.FromClient)
		server.Close()
	})
	wg.Go(func() {
		server.passAll(client, m.FromServer)
		client.Close()
	})
	wg.Wait()
}

// untilSTARTTLS relays the part before TLS and reports whether client and server agreed on TLS. They take turns here: the
// server speaks until it has answered the command or asks for more, the client until an answer is due.
func (m MITM) untilSTARTTLS(client, server *lineConn) bool {
	if m.LDAP {
		return m.untilLDAPStartTLS(client, server)
	}
	if m.XMPP {
		return m.untilXMPPStartTLS(client, server)
	}
	var protocol turns
	for {
		answer, err := server.pass(client, m.FromServer, false)
		if err != nil {
			return false
		}
		if protocol == nil {
			protocol = turnsOf(answer)
		}
		answered, startsTLS := protocol.heard(answer)
		if startsTLS {
			return true
		}
		for serversTurn := !answered; !serversTurn; {
			line, err := client.pass(server, m.FromClient, false)
			if err != nil {
				return false
			}
			serversTurn = protocol.said(line)
		}
	}
}

// lineConn reads lines, or what a protocol has in their place, and what follows them as a net.Conn.
type lineConn struct {
	net.Conn
	r    *bufio.Reader
	next func(*bufio.Reader) (string, error)
}

func (m MITM) conn(c net.Conn) *lineConn {
	next := func(r *bufio.Reader) (string, error) { return r.ReadString('\n') }
	if m.LDAP {
		next = readLDAP
	}
	if m.XMPP {
		next = readXMPP
	}
	return &lineConn{c, bufio.NewReader(c), next}
}

func (c *lineConn) Read(b []byte) (int, error) { return c.r.Read(b) }

// pass hands one line on and returns it as it was read.
func (c *lineConn) pass(to io.Writer, rewrite func(string, bool) string, secured bool) (string, error) {
	line, err := c.next(c.r)
	sent := line
	if rewrite != nil && line != "" {
		sent = rewrite(line, secured)
	}
	if _, werr := io.WriteString(to, sent); err == nil {
		err = werr
	}
	return line, err
}

// passAll passes the octets of TLS on until either side is gone.
func (c *lineConn) passAll(to io.Writer, rewrite func(string, bool) string) {
	for {
		if _, err := c.pass(to, rewrite, true); err != nil {
			return
		}
	}
}
