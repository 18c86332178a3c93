package transport

import (
	"bufio"
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
			return "", ReadError(err)
		}
	}
}

// ReadError gives an error of reading the class ErrConnection. An io.EOF becomes
// an io.ErrUnexpectedEOF.
func ReadError(err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%w: %w", sasl.ErrConnection, err)
}
