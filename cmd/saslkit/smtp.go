package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"net/textproto"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

func dialSMTP(ctx context.Context, t *target) (*connection, error) {
	client, err := openTarget(t, func(config *tls.Config) (*smtp.Client, error) { return openSMTP(ctx, t, config) })
	if err != nil {
		return nil, err
	}
	server := saslsmtp.Server{Host: t.host, EnforcesBinding: t.enforcesBinding}
	info, err := saslsmtp.ServerInfo(ctx, client.Text, client, server)
	if err != nil {
		return nil, err
	}
	return &connection{
		info: &info,
		authenticate: func(ctx context.Context, auth *sasl.Client) (sasl.Result, error) {
			return saslsmtp.AuthenticateNet(ctx, client, auth, server)
		},
		alerts: func() []string { return nil },
		end: func(ctx context.Context) {
			ctx, cancel := context.WithTimeout(ctx, goodbye)
			defer cancel()
			defer context.AfterFunc(ctx, func() { client.Close() })()
			client.Quit() // only good manners
			client.Close()
		},
	}, nil
}

// openSMTP connects to a server and puts TLS on the connection, before or after
// its greeting.
func openSMTP(ctx context.Context, t *target, config *tls.Config) (*smtp.Client, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", t.address)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", sasl.ErrConnection, err)
	}
	raw := conn
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	client, err := greetSMTP(ctx, t, conn, config)
	if !stop() {
		err = fmt.Errorf("%w: %w", sasl.ErrConnection, ctx.Err())
	}
	if err != nil {
		raw.Close()
		return nil, err
	}
	return client, nil
}

func greetSMTP(ctx context.Context, t *target, conn net.Conn, config *tls.Config) (*smtp.Client, error) {
	startTLS := config != nil && t.scheme == "smtp"
	if config != nil && !startTLS {
		secured, err := transport.Handshake(ctx, conn, t.host, "", config)
		if err != nil {
			return nil, err
		}
		conn = secured
	}
	client, err := smtp.NewClient(conn, t.host)
	if err == nil {
		err = client.Hello("localhost")
	}
	if err != nil || !startTLS {
		return client, smtpError(err)
	}
	if ok, _ := client.Extension("STARTTLS"); !ok {
		return nil, errNoTLS
	}
	var refused *textproto.Error
	switch err := client.StartTLS(config); {
	case errors.As(err, &refused):
		return nil, fmt.Errorf("%w: %w", errNoTLS, refused)
	case errors.As(err, new(tls.RecordHeaderError)):
		return nil, transport.StartTLSError(err)
	default:
		return client, smtpError(err)
	}
}

// smtpError gives an error from before the authentication its class.
func smtpError(err error) error {
	var refused *textproto.Error
	switch {
	case errors.As(err, &refused) && refused.Code/100 == 4:
		return fmt.Errorf("%w: the server turns us away: %w", sasl.ErrTemporary, refused)
	case errors.As(err, &refused):
		return fmt.Errorf("%w: the server turns us away: %w", sasl.ErrConnection, refused)
	case errors.As(err, new(textproto.ProtocolError)):
		return fmt.Errorf("%w: %w", sasl.ErrProtocol, err)
	}
	return transport.HandshakeError(err)
}
