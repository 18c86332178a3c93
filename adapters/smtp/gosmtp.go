package saslsmtp

import (
	"context"
	"errors"
	"fmt"
	"net/textproto"

	"github.com/emersion/go-smtp"

	"github.com/saslkit/saslkit/channelbinding"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// Authenticate authenticates a client of go-smtp that exists already, after its
// own STARTTLS. If the client has not said EHLO, it says EHLO first, which also
// finishes the TLS handshake. After a refusal another attempt may follow. After any
// other error the client is closed, unless nothing was sent. Errors are those of
// sasl.Client; a refusal has a *Reply, and the library's *smtp.SMTPError.
//
// The library reads lines of at most 2000 octets, so a challenge of more than
// about 1.4 KiB is an ErrProtocol here. [Conn] has no such limit.
func Authenticate(ctx context.Context, client *smtp.Client, auth *sasl.Client, existing Existing) (sasl.Result, error) {
	info, err := goSMTPInfo(ctx, client, existing)
	if err != nil {
		return sasl.Result{}, err
	}
	return auth.Drive(ctx, client, info, func(s *sasl.Session) error {
		loop := &loop{session: s, giveUp: client}
		err := goSMTPAuth(client, loop)
		if loop.inline != nil && isLineTooLong(err) {
			err = goSMTPAuth(client, loop)
		}
		if err != nil {
			return err
		}
		return loop.waiting.Success()
	})
}

// goSMTPInfo returns what the client knows about its server.
func goSMTPInfo(ctx context.Context, client *smtp.Client, existing Existing) (info sasl.ServerInfo, err error) {
	// None of these calls takes a context.
	stop := context.AfterFunc(ctx, func() { client.Close() })
	mechanisms, err := goSMTPMechanisms(client)
	if !stop() || err != nil {
		client.Close()
		return info, transport.Classify(ctx, err)
	}
	info.Host, info.InsecureReason = existing.Host, channelbinding.ErrNoTLS
	if state, ok := client.TLSConnectionState(); ok { // the handshake was before EHLO
		if info, err = channelbinding.Client(&state, existing.Host); err != nil {
			return info, err
		}
	}
	existing.complete(&info, mechanisms)
	return info, nil
}

// goSMTPError translates what the library returns. Replies are found before.
func goSMTPError(err error) error {
	if errors.Is(err, smtp.ErrTooLongLine) || errors.As(err, new(textproto.ProtocolError)) {
		return fmt.Errorf("%w: %w", sasl.ErrProtocol, err)
	}
	return transport.HandshakeError(err)
}

// goSMTPReply returns the reply in an error of the library; nil = there is none.
func goSMTPReply(err error) *Reply {
	var refused *smtp.SMTPError
	if !errors.As(err, &refused) {
		return nil
	}
	return &Reply{Code: refused.Code, Enhanced: refused.EnhancedCode, Text: refused.Message, library: refused}
}
