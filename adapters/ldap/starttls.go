package saslldap

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"

	"github.com/go-ldap/ldap/v3"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// NewStartTLS takes over a connection without TLS on which nothing has been read
// yet, and starts TLS (RFC 4511 s4.14). The host is the name that is verified. If
// NewStartTLS fails, the connection is closed. A nil *Options is the zero value.
//
// Errors are a *transport.StepError: ErrTemporary if the server is busy or
// unavailable; ErrSecurity if it refuses StartTLS (transport.ErrNoStartTLS), for
// data behind its answer, and for a certificate that is not accepted; ErrProtocol
// for an invalid answer; else ErrConnection. The library's error for a result code
// is there for errors.As.
func NewStartTLS(ctx context.Context, conn net.Conn, host string, options *Options) (*Client, error) {
	var observe func(sent bool, octets []byte)
	if options != nil {
		observe = options.Observe
	}
	dialer := options.dialer()
	limit := wrongPortLimit(conn, ports["ldaps"], transport.AnswerTimeout(dialer.StepTimeout))
	err := transport.Run(ctx, transport.StartTLS, max(limit, 0), conn, func(context.Context) error {
		return startTLS(transport.Observe(conn, observe))
	})
	if err != nil {
		transport.Close(conn)
		return nil, noAnswer(err)
	}
	secured, err := dialer.Secure(ctx, conn, host, "", true)
	if err != nil {
		return nil, err
	}
	return NewConn(ctx, secured, host, options)
}

// startTLS sends the request and reads the answer, and nothing behind the answer.
func startTLS(conn net.Conn) error {
	const id = 1
	if _, err := conn.Write(encodeStartTLS(id)); err != nil {
		return err
	}
	r := bufio.NewReader(conn)
	answer, err := readStartTLS(r, id)
	if err != nil {
		return err
	}
	result, err := decodeResult(answer, extendedResponse)
	switch {
	case err != nil:
		return err
	case result.code == ldap.LDAPResultUnavailable || result.code == ldap.LDAPResultBusy:
		return &resultError{sasl.ErrTemporary, "the server does not start TLS at this time", result}
	case result.code != ldap.LDAPResultSuccess:
		return transport.NoStartTLS(result.words(), result.library())
	}
	return transport.NothingBehind(r)
}

// readStartTLS reads the answer to the request with this message ID. Errors
// without a class are those of the connection.
func readStartTLS(r *bufio.Reader, id int64) (frame, error) {
	h, err := peekHeader(r)
	switch {
	case err != nil:
		return frame{}, firstWords(r, err, false)
	case h.total > maxOwn || h.id != id && h.id != 0:
		return frame{}, errNoAnswer
	}
	answer := frame{header: h, bytes: make([]byte, h.total)}
	if _, err := io.ReadFull(r, answer.bytes); err != nil {
		return frame{}, err
	}
	if h.id == 0 {
		notice, err := decodeResult(answer, extendedResponse)
		if err == nil {
			err = notice.disconnection()
		}
		if err == nil {
			err = errNoAnswer
		}
		return frame{}, err
	}
	return answer, nil
}

var errNoAnswer = fmt.Errorf("%w: the server sent another message than the answer to StartTLS", sasl.ErrProtocol)
