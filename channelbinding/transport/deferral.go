package transport

import (
	"fmt"

	sasl "github.com/saslkit/saslkit/core"
)

// Deferral is an initial response that waits until the server asks for it with
// an empty challenge (RFC 4954 s4, RFC 9051 s6.2.2). The zero value has none.
type Deferral struct {
	initial []byte // nil = nothing waits
}

// Defer returns a Deferral with an initial response, which is not nil.
func Defer(initial []byte) Deferral { return Deferral{initial} }

// Waits reports whether an initial response waits.
func (d *Deferral) Waits() bool { return d.initial != nil }

// Response returns the initial response as the answer to the server's first
// challenge. A challenge that is not empty is an ErrProtocol, and the initial
// response keeps waiting.
func (d *Deferral) Response(challenge []byte) ([]byte, error) {
	if len(challenge) > 0 {
		return nil, fmt.Errorf("%w: the server sent a challenge, but an empty one must ask for the initial response", sasl.ErrProtocol)
	}
	initial := d.initial
	d.initial = nil
	return initial, nil
}

// Success returns an ErrSecurity if the initial response still waits when the
// server announces success.
func (d *Deferral) Success() error {
	if d.initial == nil {
		return nil
	}
	return fmt.Errorf("%w: the server announced success before it had the initial response", sasl.ErrSecurity)
}

// Answer takes the answer to the command that began the exchange without the
// initial response. It sends the initial response if the server asks for it, and
// returns the answer to that; else it returns an error.
func (d *Deferral) Answer(reply sasl.Reply, err error, send func(initial []byte) (sasl.Reply, error)) (sasl.Reply, error) {
	if err != nil {
		return reply, err
	}
	if reply.Done {
		return sasl.Reply{}, d.Success()
	}
	initial, err := d.Response(reply.Data)
	if err != nil {
		return sasl.Reply{}, err
	}
	return send(initial)
}
