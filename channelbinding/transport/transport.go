// Package transport has what the adapters share about connections: how a
// connection is dialled, secured, bounded in time and closed, how a line is read,
// and how an initial response waits. Authors of adapters use it. Users of an
// adapter meet [ErrNoStartTLS] and [StepError] in its errors.
package transport

import (
	"context"
	"errors"
	"fmt"
	"net"

	sasl "github.com/saslkit/saslkit/core"
)

// Classify gives an error of a connection its class. If the context has ended,
// that is the reason, and an ErrSecurity is still there for errors.Is. An error
// without a class becomes an ErrConnection. Nil stays nil unless the context has
// ended.
func Classify(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil && errors.Is(err, sasl.ErrSecurity):
		return fmt.Errorf("%w: %w (%w)", sasl.ErrConnection, ctx.Err(), err)
	case ctx.Err() != nil && !errors.Is(err, ctx.Err()):
		return fmt.Errorf("%w: %w", sasl.ErrConnection, ctx.Err())
	case err == nil || sasl.ClassOf(err) != "":
		return err
	}
	return fmt.Errorf("%w: %w", sasl.ErrConnection, err)
}

// Close closes a connection and sends nothing more, not even the close_notify of
// TLS. It closes what is below TLS first, so that every pending read and write
// returns, and then what is around it, which may have something to release.
func Close(conn net.Conn) error {
	if wrapped, ok := conn.(interface{ NetConn() net.Conn }); ok {
		if below := wrapped.NetConn(); below != nil {
			err := Close(below)
			conn.Close()
			return err
		}
	}
	return conn.Close()
}
