package sasltest

import (
	"context"
	"net"

	sasl "github.com/saslkit/saslkit/core"
)

// Wire is the server's side of a protocol's framing on one connection, written
// once for the tests of its adapter. Its methods do one thing each and decide
// nothing.
type Wire interface {
	// Greet does everything that comes before the exchange and offers one
	// mechanism. Without initialResponse it is a server that takes none.
	Greet(mechanism string, initialResponse bool) error
	// ReadInitiate reads the start of an exchange; a nil initial response is
	// none.
	ReadInitiate() (mechanism string, initial []byte, err error)
	// ReadResponse reads a response or an abort.
	ReadResponse() (response []byte, aborted bool, err error)
	Challenge(data []byte) error
	// Succeed announces success, with data unless it is nil.
	Succeed(data []byte) error
	Refuse(condition sasl.Condition) error
}

// Adapter is what TestAdapter needs to know of an adapter.
type Adapter struct {
	Wire func(conn net.Conn) Wire
	// Dial authenticates over conn through an entry point of the adapter, with
	// the Client as it is. It must leave conn open, except for what the Client
	// closes.
	Dial func(ctx context.Context, conn net.Conn, client *sasl.Client) (sasl.Result, error)

	// SuccessData says that the protocol carries additional data with success.
	SuccessData bool
	// Conditions are those that the protocol has words for; not empty.
	Conditions []sasl.Condition
	// Malformed are frames that a server may send in place of a challenge; not
	// empty.
	Malformed []Malformed
	// Aborts is how the adapter ends an exchange that is open and in sync.
	Aborts AbortStyle
	// Cannot lists cases that the protocol cannot express, by their names (the
	// constants Case…), or ways of cutting reads (OctetByOctet and so on), and why.
	// They are logged.
	Cannot map[string]string

	reading reading // of the client's end
	seed    uint64
}

// AbortStyle is how an adapter ends an exchange that is open and in sync.
type AbortStyle int

// An adapter on a protocol's connection goes on with it. One that stands on a
// library's loop may not know that it can.
const (
	AbortsAndGoesOn AbortStyle = iota
	Closes
)

// Malformed is what a server sends in place of a challenge, and what comes of
// it.
type Malformed struct {
	Name, Frame string
	Class       sasl.Class
	// InSync says that the adapter cancels the exchange, after which another
	// works; else it closes the connection.
	InSync bool
}
