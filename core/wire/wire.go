// Package wire has what the adapters of protocols that are made of lines share.
package wire

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
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
// ended, that is the reason.
func Classify(ctx context.Context, err error) error {
	switch {
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
