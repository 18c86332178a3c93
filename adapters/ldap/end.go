package saslldap

import (
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// The reasons why we close a connection. The library's requests that wait get them
// as the text of their error.
var (
	errClosed     = fmt.Errorf("%w: this program closed the connection: %w", sasl.ErrConnection, net.ErrClosed)
	errBindOpen   = fmt.Errorf("%w: a SASL bind ended without an outcome on this connection, so the connection is closed: make another connection", sasl.ErrConnection)
	errUnanswered = fmt.Errorf("%w: the request for the server's list of mechanisms failed, so the connection is closed: make another connection", sasl.ErrConnection)
)

// fail records the reason for the end of the connection, the first time, and
// returns the reason that counts. The server's notice of disconnection comes before
// err.
func (m *mux) fail(err error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cause != nil {
		return m.cause
	}
	switch {
	case m.notice != nil:
		err = m.notice
	case sasl.ClassOf(err) == "" && errors.Is(err, io.EOF):
		err = fmt.Errorf("%w: the server closed the connection: %w", sasl.ErrConnection, io.ErrUnexpectedEOF)
	}
	m.cause = withClass(err, sasl.ErrConnection)
	close(m.dead)
	return m.cause
}

// err returns the reason for the end of the connection; nil = the connection has
// not ended.
func (m *mux) err() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cause
}

// NetConn returns the connection below, so transport.Close reaches it.
func (m *mux) NetConn() net.Conn { return m.Conn }

// Close closes the connection, also for the library.
func (m *mux) Close() error {
	m.fail(errClosed)
	return m.Conn.Close()
}

// end closes the connection for a reason of ours.
func (m *mux) end(cause error) error {
	m.fail(cause)
	return transport.Close(m)
}

// ending is the connection for a wait with a limit, which closes it: the cause then is
// the reason.
type ending struct {
	net.Conn
	mux   *mux
	cause error
}

func (m *mux) ending(cause error) ending { return ending{m, m, cause} }

func (e ending) Close() error { return e.mux.end(e.cause) }

func withClass(err error, class sasl.Class) error {
	if sasl.ClassOf(err) != "" {
		return err
	}
	return fmt.Errorf("%w: %w", class, err)
}
