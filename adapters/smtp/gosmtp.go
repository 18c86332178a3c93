// Package saslsmtp authenticates SMTP clients (RFC 4954) with any mechanism of
// package sasl: those of github.com/emersion/go-smtp and of net/smtp here,
// those of github.com/wneessen/go-mail in the module gomail below it.
//
//	client, err := smtp.DialStartTLS("mail.example.org:587", nil) // go-smtp
//	result, err := saslsmtp.Authenticate(ctx, client, auth, saslsmtp.Server{Host: "mail.example.org"})
//
// For a server on go-smtp there is [ServerAuth].
package saslsmtp

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"strings"

	"github.com/emersion/go-smtp"

	"github.com/saslkit/saslkit/channelbinding"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// Server says of a client's connection what cannot be seen.
type Server struct {
	// Host is who the server should be: the name that its certificate has to
	// have.
	Host string
	// Secure asserts that the connection is confidential and its peer the host,
	// although crypto/tls did not verify it: for pinned certificates, DANE and
	// Unix sockets.
	Secure bool
	// EnforcesBinding asserts that the server refuses a login with a wrong channel
	// binding or without one; see sasl.ServerInfo.
	EnforcesBinding bool
}

// Authenticate authenticates a client of go-smtp. It has the client say EHLO
// first, if it has not, and with that finish the TLS handshake. After a refusal
// another attempt may follow; after any other error, but one before anything
// was sent, the client is closed.
//
// The library reads lines of at most 2000 octets, so that a challenge of more
// than about 1.4 KiB is ErrProtocol here; [AuthenticateNet] has no such limit.
func Authenticate(ctx context.Context, client *smtp.Client, auth *sasl.Client, server Server) (sasl.Result, error) {
	info, err := goSMTPInfo(ctx, client, server)
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
		return loop.delivered()
	})
}

// goSMTPInfo learns what the client knows of its server.
func goSMTPInfo(ctx context.Context, client *smtp.Client, server Server) (info sasl.ServerInfo, err error) {
	// None of these calls takes a context.
	stop := context.AfterFunc(ctx, func() { client.Close() })
	mechanisms, err := goSMTPMechanisms(client)
	if !stop() || err != nil {
		client.Close()
		return info, transport.Classify(ctx, goSMTPError(err))
	}
	info.Host = server.Host
	if state, ok := client.TLSConnectionState(); ok { // the handshake was before EHLO
		if info, err = channelbinding.Client(&state, server.Host); err != nil {
			return info, err
		}
	}
	server.complete(&info, mechanisms)
	return info, nil
}

// goSMTPMechanisms returns the mechanisms of the last EHLO. If the library
// finds none, it is asked to say EHLO again, and its reply is read as it comes:
// the library knows the keyword only in upper case and without "=".
func goSMTPMechanisms(client *smtp.Client) ([]string, error) {
	if ok, list := client.Extension("AUTH"); ok {
		return authKeyword([]string{"AUTH " + list}), nil
	}
	var heard bytes.Buffer
	before := client.DebugWriter
	client.DebugWriter = &heard
	if before != nil {
		client.DebugWriter = io.MultiWriter(before, &heard)
	}
	defer func() { client.DebugWriter = before }()
	if err := client.Reset(); err != nil {
		return nil, err
	}
	client.Extension("AUTH")
	var lines []string
	for line := range strings.Lines(heard.String()) {
		if code, _, text, ok := parseReplyLine(strings.TrimRight(line, "\r\n")); ok && code == 250 {
			lines = append(lines, text)
		}
	}
	return authKeyword(lines), nil
}

// goSMTPError translates what the library returns.
func goSMTPError(err error) error {
	var refused *smtp.SMTPError
	switch {
	case err == nil || sasl.ClassOf(err) != "":
		return err
	case errors.As(err, &refused):
		r := &Reply{Code: refused.Code, Text: refused.Message, library: refused}
		if refused.EnhancedCode != smtp.NoEnhancedCode {
			r.Enhanced = refused.EnhancedCode
		}
		return r.err()
	case errors.Is(err, smtp.ErrTooLongLine), errors.As(err, new(base64.CorruptInputError)), errors.As(err, new(textproto.ProtocolError)):
		return fmt.Errorf("%w: %w", sasl.ErrProtocol, err)
	}
	return transport.HandshakeError(err)
}

// complete adds what is the same for every library.
func (s Server) complete(info *sasl.ServerInfo, mechanisms []string) {
	info.Service = "smtp"
	info.Mechanisms = mechanisms
	info.Secure = info.Secure || s.Secure
	info.EnforcesBinding = s.EnforcesBinding
}
