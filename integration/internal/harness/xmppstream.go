package harness

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
)

// readXMPP reads an element at the level of the stream, or the beginning or the end of the stream. It knows as much XML
// as XMPP allows, and trusts a server and a client with the rest.
func readXMPP(r *bufio.Reader) (string, error) {
	var text strings.Builder
	for depth := 0; ; {
		piece, err := r.ReadString('>')
		text.WriteString(piece)
		if err != nil {
			return text.String(), err
		}
		markup := piece[strings.LastIndexByte(piece, '<')+1:]
		switch {
		case strings.HasPrefix(markup, "?"), strings.HasPrefix(markup, "stream:stream"):
			return text.String(), nil
		case strings.HasPrefix(markup, "/"):
			depth--
		case !strings.HasSuffix(markup, "/>"):
			depth++
		}
		if depth <= 0 {
			return text.String(), nil
		}
	}
}

// untilXMPPStartTLS relays what precedes TLS: the streams' beginnings and what the server offers on the stream, and then
// the client's request, which may be to end it all, and the answer. It reports whether TLS follows.
func (m MITM) untilXMPPStartTLS(client, server *lineConn) bool {
	for _, step := range []struct {
		from, to *lineConn
		rewrite  func(string, bool) string
		until    string
	}{
		{client, server, m.FromClient, "<stream:stream"},
		{server, client, m.FromServer, "<stream:features"},
		{client, server, m.FromClient, "<starttls"},
		{server, client, m.FromServer, "<proceed"},
	} {
		for passed := ""; !strings.HasPrefix(strings.TrimLeft(passed, "\r\n"), step.until); {
			var err error
			if passed, err = step.from.pass(step.to, step.rewrite, false); err != nil {
				return false
			}
		}
	}
	return true
}

// askXMPP sees whether a server serves a domain, with the certificate that it was given.
func askXMPP(ctx context.Context, address string, implicit bool, config *tls.Config) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if implicit {
		conn = tls.Client(conn, config)
	}
	_, err = fmt.Fprintf(conn, "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='%s' version='1.0'>", config.ServerName)
	r := bufio.NewReader(conn)
	for err == nil {
		var element string
		if element, err = readXMPP(r); strings.HasPrefix(element, "<stream:features") {
			break
		}
	}
	if err != nil || implicit {
		return err
	}
	if _, err := io.WriteString(conn, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"); err != nil {
		return err
	}
	if answer, err := readXMPP(r); err != nil || !strings.HasPrefix(answer, "<proceed") {
		return fmt.Errorf("got %q to STARTTLS, %w", answer, err)
	}
	return tls.Client(conn, config).HandshakeContext(ctx)
}
