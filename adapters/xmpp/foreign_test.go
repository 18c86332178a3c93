package saslxmpp_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"mellium.im/xmpp/jid"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestForeignServer: a server of another protocol is named at once, with the line that
// it sent, in one line for people and of limited length.
func TestForeignServer(t *testing.T) {
	for _, row := range []struct {
		says []string
		want string // after the class
	}{
		{[]string{"220 mail.example.org ESMTP ready\r\n250 more\r\n"}, `it sent "220 mail.example.org ESMTP ready"; check the port`},
		{[]string{"\r\n* OK IMAP4rev1\r\n"}, `it sent "* OK IMAP4rev1"; check the port`},
		{[]string{"+", "OK", " POP3\x1b[31m ready\r", "\n"}, `it sent "+OK POP3[31m ready"; check the port`},
		{[]string{"HTTP/1.1 400 Bad Request\r\n\r\n<html><body>"}, `it sent "HTTP/1.1 400 Bad Request"; check the port`},
		{[]string{"S", "SH-2.0"}, `it sent "SSH-2.0"; check the port`}, // no end of the line
		{[]string{strings.Repeat("a", 600)}, `it sent "` + strings.Repeat("a", 512) + `…"; check the port`},
		{[]string{"<html><body>400"}, `it began with <html>; check the port`},
		{[]string{"<h", "tml lang='en'/>"}, `it began with <html>; check the port`},
		{[]string{"\x00\x01\x02\n"}, "it sent no text; check the port"},
		{[]string{"\x15\x03\x01\x00\x02\x02\x46"}, "it speaks TLS from the first octet; connect with direct TLS, or check the port"},
		{[]string{"\x15"}, "it speaks TLS from the first octet; connect with direct TLS, or check the port"},
	} {
		address := sasltest.Listen(t, func(conn net.Conn) {
			for _, text := range row.says {
				io.WriteString(conn, text)
				time.Sleep(10 * time.Millisecond)
			}
			io.Copy(io.Discard, conn)
		})
		for _, start := range []saslxmpp.TLSStart{saslxmpp.StartTLS, saslxmpp.NoTLS} {
			begun := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			_, _, err := (&saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), TLS: start, Address: address}).Dial(ctx, jid.MustParse("user@"+host))
			cancel()
			want := "protocol error: the peer speaks another protocol than XMPP: " + row.want + " (step: greeting, address: " + address + ")"
			if !errors.Is(err, sasl.ErrProtocol) || err.Error() != want || time.Since(begun) > 2*time.Second {
				t.Errorf("%q: %v after %s", row.says, err, time.Since(begun))
			}
		}
	}
}

// TestWrongTLS: a port that expects TLS from the first octet, and one that does not.
func TestWrongTLS(t *testing.T) {
	certificate, pool := sasltest.Certificate(t, host)
	silent := sasltest.Listen(t, func(conn net.Conn) { // a server that expects TLS and says nothing about its absence
		conn.Read(make([]byte, 1))
		conn.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, conn)
	})
	resets := sasltest.Listen(t, func(conn net.Conn) {
		conn.Read(make([]byte, 1))
		conn.(*net.TCPConn).SetLinger(0)
		conn.Close()
	})
	secured := sasltest.Listen(t, func(conn net.Conn) {
		conn = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate}})
		conn.(*tls.Conn).HandshakeContext(context.Background())
		conn.(*tls.Conn).NetConn().(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, conn.(*tls.Conn).NetConn())
	})
	greeting := sasltest.Listen(t, func(conn net.Conn) {
		io.WriteString(conn, "220 mail.example.org ESMTP\r\n")
		io.Copy(io.Discard, conn)
	})
	plain := sasltest.Listen(t, func(conn net.Conn) {
		conn.Read(make([]byte, 1))
		io.WriteString(conn, streamHeader+"<stream:error><not-well-formed"+nsStreams+"/></stream:error></stream:stream>")
		io.Copy(io.Discard, conn)
	})
	for name, row := range map[string]struct {
		start   saslxmpp.TLSStart
		address string
		want    string
	}{
		"STARTTLS at a port that closes":          {saslxmpp.StartTLS, silent, "connection error: unexpected EOF: the server closed the connection without an answer; if the port is for direct TLS, connect with direct TLS (step: greeting"},
		"STARTTLS at a port for TLS":              {saslxmpp.AnyTLS, secured, "connect with direct TLS"},
		"direct TLS at a port for STARTTLS":       {saslxmpp.DirectTLS, plain, `the peer sent "<?xml version='1.0'?><stream:stream xmlns='jabber:client'`},
		"direct TLS at a port for mail":           {saslxmpp.DirectTLS, greeting, `the peer sent "220 mail.example.org ESMTP"; connect with STARTTLS, or check the port (step: handshake, address: ` + greeting + ")"},
		"direct TLS at a port that closes":        {saslxmpp.DirectTLS, silent, "connection error: EOF: the server closed the connection without an answer; if the port is for STARTTLS, connect with STARTTLS (step: handshake"},
		"direct TLS at a port that resets":        {saslxmpp.DirectTLS, resets, "the server closed the connection without an answer; if the port is for STARTTLS, connect with STARTTLS (step: handshake"},
		"STARTTLS at a port that resets":          {saslxmpp.StartTLS, resets, "the server closed the connection without an answer; if the port is for direct TLS, connect with direct TLS (step: greeting"},
		"direct TLS at a port for STARTTLS, what": {saslxmpp.DirectTLS, plain, "; connect with STARTTLS, or check the port (step: handshake"},
	} {
		begun := time.Now()
		login := &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), TLS: row.start, Address: row.address, TLSConfig: &tls.Config{RootCAs: pool}}
		_, _, err := login.Dial(t.Context(), jid.MustParse("user@"+host))
		if class := sasl.ClassOf(err); class != sasl.ErrConnection && class != sasl.ErrProtocol || !strings.Contains(err.Error(), row.want) || time.Since(begun) > 2*time.Second {
			t.Errorf("%s: %v after %s", name, err, time.Since(begun))
		}
	}
	// A connection of the caller.
	near, far := sasltest.Pair(t)
	go io.WriteString(far, "220 mail.example.org ESMTP\r\n")
	login := &saslxmpp.Login{Client: insecure(sasl.Plain(credentials))}
	_, _, err := login.NewSession(t.Context(), jid.MustParse(address), tls.Client(near, &tls.Config{RootCAs: pool, ServerName: host}))
	if !errors.Is(err, sasl.ErrConnection) || !strings.Contains(err.Error(), `the peer sent "220 m"; connect with STARTTLS`) {
		t.Error(err)
	}
}

// TestClientOfAnotherProtocol: a server names a client of another protocol.
func TestClientOfAnotherProtocol(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	for says, want := range map[string]string{
		"GET / HTTP/1.1\r\n":       `protocol error: the peer speaks another protocol than XMPP: it sent "GET / HTTP/1.1"; check the port`,
		"\x16\x03\x01\x02\x00\x01": "protocol error: the peer speaks another protocol than XMPP: it speaks TLS from the first octet; connect with direct TLS, or check the port",
	} {
		conn, served := server.connect(t, false)
		io.WriteString(conn, says)
		if at := <-served; at.err == nil || at.err.Error() != want {
			t.Errorf("%q: %v", says, at.err)
		}
	}
}

// TestNoAdviceAboutTLS: the error names no other kind of TLS if the server has sent
// something, has TLS already, or is only late.
func TestNoAdviceAboutTLS(t *testing.T) {
	certificate, pool := sasltest.Certificate(t, host)
	for name, serve := range map[string]func(net.Conn){
		"half a header": func(conn net.Conn) {
			conn.Read(make([]byte, 1))
			io.WriteString(conn, "<?xml version='1.0'?><stream:str")
			conn.(*net.TCPConn).CloseWrite()
			io.Copy(io.Discard, conn)
		},
		"TLS": func(conn net.Conn) {
			secured := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate}})
			secured.Read(make([]byte, 1))
			conn.(*net.TCPConn).CloseWrite()
			io.Copy(io.Discard, conn)
		},
		"late": func(conn net.Conn) { io.Copy(io.Discard, conn) },
	} {
		start := saslxmpp.StartTLS
		if name == "TLS" {
			start = saslxmpp.DirectTLS
		}
		login := &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), TLS: start, Address: sasltest.Listen(t, serve), TLSConfig: &tls.Config{RootCAs: pool}, StepTimeout: 500 * time.Millisecond}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		_, _, err := login.Dial(ctx, jid.MustParse(address))
		cancel()
		var step *transport.StepError
		if sasl.ClassOf(err) != sasl.ErrConnection || errors.As(err, new(*transport.PortError)) || !errors.As(err, &step) || step.Step != transport.Greeting {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOwnEndIsNoAdvice: a caller who closes the connection, or whose own deadline has
// passed, gets no advice about TLS. The server has not closed it.
func TestOwnEndIsNoAdvice(t *testing.T) {
	for name, end := range map[string]func(net.Conn){
		"deadline": func(conn net.Conn) { conn.SetReadDeadline(time.Now()) },
		"closed":   func(conn net.Conn) { conn.Close() },
	} {
		conn, err := net.Dial("tcp", sasltest.Listen(t, func(conn net.Conn) { io.Copy(io.Discard, conn) }))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		time.AfterFunc(100*time.Millisecond, func() { end(conn) })
		_, _, err = (&saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), TLS: saslxmpp.StartTLS}).NewSession(ctx, jid.MustParse(address), conn)
		cancel()
		if sasl.ClassOf(err) != sasl.ErrConnection || errors.As(err, new(*transport.PortError)) || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// nowhere is a connection that does not say where it goes.
type nowhere struct{ net.Conn }

func (nowhere) RemoteAddr() net.Addr { return nil }

// TestNoAddress: the error of a connection without an address has none.
func TestNoAddress(t *testing.T) {
	near, far := sasltest.Pair(t)
	far.Close()
	login := &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), TLS: saslxmpp.NoTLS}
	var step *transport.StepError
	if _, _, err := login.NewSession(t.Context(), jid.MustParse(address), nowhere{near}); !errors.As(err, &step) || step.Address != "" {
		t.Error(err)
	}
}
