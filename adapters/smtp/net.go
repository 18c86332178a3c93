package saslsmtp

import (
	"context"
	"crypto/tls"
	"io"
	"net/smtp"
	"net/textproto"
	"strings"

	"github.com/saslkit/saslkit/channelbinding"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// AuthenticateNet authenticates a client of net/smtp that exists already, after its
// own STARTTLS. It has channel binding, aborts and the right length of line. After
// a refusal it does not send the QUIT that the client's own Auth sends, so another
// attempt may follow. After any other error the client is closed, unless nothing
// was sent. Errors are those of sasl.Client; a refusal has a *Reply, and the
// *textproto.Error that the library would have returned.
func AuthenticateNet(ctx context.Context, client *smtp.Client, auth *sasl.Client, existing Existing) (sasl.Result, error) {
	return AuthenticateText(ctx, client.Text, client, auth, existing)
}

// Library is a client of a library like net/smtp. It is for AuthenticateText.
type Library interface {
	Extension(name string) (bool, string)            // says EHLO if it has not been said
	TLSConnectionState() (tls.ConnectionState, bool) // ok is false without TLS
	io.Closer
}

// AuthenticateText is AuthenticateNet for another library that exports its text
// protocol. Nothing else may use the text protocol meanwhile.
func AuthenticateText(ctx context.Context, text *textproto.Conn, library Library, auth *sasl.Client, existing Existing) (sasl.Result, error) {
	p := &protocol{reader: text.R, writer: text.W, closer: textCloser{text, library}}
	info, err := textInfo(ctx, p, library, existing)
	if err != nil {
		return sasl.Result{}, err
	}
	return auth.Authenticate(ctx, p, info)
}

// textCloser closes the connection below a library. The text protocol comes first: a
// library may hold a lock while it waits for the server, and its own Close waits for
// the lock.
type textCloser struct{ text, library io.Closer }

func (c textCloser) Close() error {
	err := c.text.Close()
	c.library.Close() // so that the library knows
	return err
}

// textInfo returns what is known about a client's server and connection. If EHLO
// fails or ctx ends, the client is closed.
func textInfo(ctx context.Context, p *protocol, library Library, existing Existing) (info sasl.ServerInfo, err error) {
	stop := context.AfterFunc(ctx, func() { p.Close() })
	mechanisms, err := textMechanisms(p, library)
	if !stop() || err != nil {
		p.Close()
		return info, transport.Classify(ctx, err)
	}
	info.Host, info.InsecureReason = existing.Host, channelbinding.ErrNoTLS
	if state, ok := library.TLSConnectionState(); ok {
		if info, err = channelbinding.Client(&state, existing.Host); err != nil {
			return info, err
		}
	}
	existing.complete(&info, mechanisms)
	return info, nil
}

// textMechanisms returns the mechanisms of the last EHLO. If the library finds
// none, it says EHLO again, and no more than once: the library knows the keyword
// only in upper case and without "=".
func textMechanisms(p *protocol, library Library) ([]string, error) {
	if ok, list := library.Extension("AUTH"); ok {
		return authKeyword([]string{"AUTH " + list}), nil
	}
	r, err := p.roundTrip("EHLO localhost")
	switch {
	case err != nil:
		return nil, transport.HandshakeError(err)
	case r.code == 250:
		return authKeyword(strings.Split(r.text, "\n")[1:]), nil // the first is the server's name
	}
	if err := rejected(r.refusal()); !isEHLOUnwanted(err) {
		return nil, err
	}
	return nil, nil
}
