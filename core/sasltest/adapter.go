package sasltest

import (
	"context"
	"net"

	sasl "github.com/saslkit/saslkit/core"
)

// Wire is the server's side of a protocol's framing on one connection. The author
// of an adapter writes a Wire once for the adapter's tests. Each method does one
// thing and decides nothing.
type Wire interface {
	// Greet performs everything before the exchange and offers one mechanism. If
	// initialResponse is false, the server accepts no initial response.
	Greet(mechanism string, initialResponse bool) error
	// ReadInitiate reads the start of an exchange; a nil initial response means
	// that the client sent no initial response.
	ReadInitiate() (mechanism string, initial []byte, err error)
	// ReadResponse reads a response or an abort.
	ReadResponse() (response []byte, aborted bool, err error)
	Challenge(data []byte) error
	// Succeed announces success, with data unless data is nil.
	Succeed(data []byte) error
	Refuse(condition sasl.Condition) error
}

// Adapter describes an adapter for TestAdapter.
type Adapter struct {
	// Wire makes the server's side of the framing over conn: a LayeredWire if the
	// adapter carries security layers. A nil conn asks only which of the two it is.
	Wire func(conn net.Conn) Wire
	// Dial authenticates over conn through an entry point of the adapter, with the
	// unchanged Client. Dial must leave conn open; only the Client may close conn.
	Dial func(ctx context.Context, conn net.Conn, client *sasl.Client) (sasl.Result, error)

	// SuccessData reports that the protocol carries additional data with success.
	SuccessData bool
	// Conditions are the conditions that the protocol can express; not empty.
	Conditions []sasl.Condition
	// Malformed are frames that a server may send in place of a challenge; not
	// empty.
	Malformed []Malformed
	// Aborts states how the adapter ends an exchange that is open and in sync.
	Aborts AbortStyle
	// Cannot lists the cases that the protocol cannot express, each with the reason.
	// The keys are the names of the cases (the constants Case…), or of the divisions
	// into reads (OctetByOctet and so on). TestAdapter logs the reasons.
	Cannot map[string]string

	reading reading // of the client's end
	seed    uint64
}

// AbortStyle states how an adapter ends an exchange that is open and in sync.
type AbortStyle int

// An adapter for a protocol's connection continues to use the connection. An adapter
// for a library's loop may not know whether the connection is still usable.
const (
	AbortsAndGoesOn AbortStyle = iota
	Closes
)

// Malformed is a frame that a server sends in place of a challenge, with the class
// of the resulting error.
type Malformed struct {
	Name, Frame string     // the name of the case, and the frame
	Class       sasl.Class // of the adapter's error
	// InSync reports that the adapter cancels the exchange and that the next
	// exchange works; otherwise the adapter closes the connection.
	InSync bool
}
