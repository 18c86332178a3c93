package saslsmtp

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/smtp"
	"net/textproto"
	"strings"

	"github.com/saslkit/saslkit/channelbinding"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// AuthenticateNet authenticates a client of net/smtp, after its own STARTTLS if
// it is to have one: with channel binding, aborts and the right length of line,
// and without the QUIT that the client's own Auth sends after a refusal, so
// that another attempt may follow. After any other error, but one before
// anything was sent, the client is closed.
func AuthenticateNet(ctx context.Context, client *smtp.Client, auth *sasl.Client, server Server) (sasl.Result, error) {
	return AuthenticateText(ctx, client.Text, client, auth, server)
}

// Library is a client of the kind of net/smtp's.
type Library interface {
	Extension(name string) (bool, string)            // says EHLO if it has not been said
	TLSConnectionState() (tls.ConnectionState, bool) // ok is false without TLS
	io.Closer
}

// AuthenticateText is AuthenticateNet for another library that exports its text
// protocol.
func AuthenticateText(ctx context.Context, text *textproto.Conn, library Library, auth *sasl.Client, server Server) (sasl.Result, error) {
	info, err := ServerInfo(ctx, text, library, server)
	if err != nil {
		return sasl.Result{}, err
	}
	return auth.Authenticate(ctx, newTextConn(text, library), info)
}

// ServerInfo returns what is known about a client's server and connection,
// which is what AuthenticateNet and AuthenticateText go by. If the server does
// not tell, or ctx ends, the client is closed.
func ServerInfo(ctx context.Context, text *textproto.Conn, library Library, server Server) (info sasl.ServerInfo, err error) {
	stop := context.AfterFunc(ctx, func() { library.Close() })
	mechanisms, err := textMechanisms(newTextConn(text, library), library)
	if !stop() || err != nil {
		library.Close()
		return info, transport.Classify(ctx, err)
	}
	info.Host = server.Host
	if state, ok := library.TLSConnectionState(); ok {
		if info, err = channelbinding.Client(&state, server.Host); err != nil {
			return info, err
		}
	}
	server.complete(&info, mechanisms)
	return info, nil
}

// textMechanisms returns the mechanisms of the last EHLO. If the library
// finds none, EHLO is said again: the library knows the keyword only in upper
// case and without "=".
func textMechanisms(conn *textConn, library Library) ([]string, error) {
	if ok, list := library.Extension("AUTH"); ok {
		return authKeyword([]string{"AUTH " + list}), nil
	}
	r, err := conn.roundTrip("EHLO localhost")
	switch {
	case err != nil:
		return nil, transport.HandshakeError(err)
	case r.code != 250:
		return nil, fmt.Errorf("%w: the server answers %d to EHLO", sasl.ErrProtocol, r.code)
	}
	return authKeyword(strings.Split(r.text, "\n")), nil
}
