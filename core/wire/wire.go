// Package wire has what the adapters share about connections, and about the lines
// that some protocols are made of.
package wire

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
)

// MaxLine bounds a line, in octets: the base64 of the largest message that core
// takes, and room for the rest.
const MaxLine = 96 << 10

// ReadLine reads a line and returns it without its end, LF or CRLF. Errors are
// ErrProtocol for a line of more than MaxLine, after which the connection is
// out of sync, and else ErrConnection.
func ReadLine(r *bufio.Reader) (string, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > MaxLine:
			return "", fmt.Errorf("%w: the server sent a line of more than 96 KiB", sasl.ErrProtocol)
		case err == nil:
			return strings.TrimSuffix(string(line[:len(line)-1]), "\r"), nil
		case err != bufio.ErrBufferFull:
			return "", Cut(err)
		}
	}
}

// Classify gives an error of a connection its class. Where the context has
// ended, that is the reason, and an ErrSecurity is still there for errors.Is.
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

// Cut gives an error of reading its class. An end of the connection is an
// unexpected one.
func Cut(err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%w: %w", sasl.ErrConnection, err)
}

// Close closes a connection without a word, TLS's last ones either: first what
// is below TLS, which makes everybody return who waits, then what is around it,
// which may have something to release.
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
