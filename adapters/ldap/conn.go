package saslldap

import (
	"context"
	"fmt"
	"math"

	"github.com/go-ldap/ldap/v3"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// binder is a sasl.Interface that sends bind requests (RFC 4513 s5.2). The mux
// holds the library's requests back meanwhile.
type binder struct {
	mux       *mux
	mechanism string
	open      bool // the server waits for another request
	client    *Client
	before    rootDSE // the answer of the server before the bind
	screen    *screen // the secrets of this bind; nil = none was sent
}

// Initiate sends the first bind request.
func (b *binder) Initiate(ctx context.Context, mechanism string, initial []byte) (sasl.Reply, error) {
	b.mechanism = mechanism
	reply, err := b.exchange(ctx, initial, true)
	reply.Inline = initial != nil
	return reply, err
}

// Respond sends another bind request.
func (b *binder) Respond(ctx context.Context, response []byte) (sasl.Reply, error) {
	return b.exchange(ctx, response, false)
}

// Abort sends a bind request without a mechanism, which the server has to refuse
// (RFC 4511 s4.2.1).
func (b *binder) Abort(ctx context.Context) error {
	if !b.open {
		return fmt.Errorf("%w: no exchange is open that an abort could end", sasl.ErrProtocol)
	}
	b.open = false
	r, err := b.roundTrip(ctx, "", nil)
	if err == nil && (r.code == ldap.LDAPResultSuccess || r.code == ldap.LDAPResultSaslBindInProgress) {
		err = fmt.Errorf("%w: the server did not refuse the bind request that aborts the exchange", sasl.ErrProtocol)
	}
	return err
}

// InstallLayer puts a negotiated security layer onto the connection.
func (b *binder) InstallLayer(layer sasl.Layer) {
	b.mux.installLayer(layer)
	b.mux.resume()
}

// Relist reads the list of mechanisms again (RFC 4513 s5.2.1.2), before the
// library's requests go out under the new identity. A list that the server did not
// have before the bind says nothing.
func (b *binder) Relist(ctx context.Context) ([]string, error) {
	b.mux.authenticated.Store(true)
	var after rootDSE
	err := b.within(ctx, func(ctx context.Context) (err error) {
		after, err = b.client.readRootDSE(ctx)
		return err
	})
	if b.before.mechanisms == nil {
		return nil, err
	}
	return after.mechanisms, err
}

// Close closes the connection, on which nobody knows any more who is authenticated.
func (b *binder) Close() error { return b.mux.end(errBindOpen) }

// exchange sends a bind request and returns the answer.
func (b *binder) exchange(ctx context.Context, credentials []byte, first bool) (sasl.Reply, error) {
	b.open = false
	var r result
	err := b.within(ctx, func(ctx context.Context) (err error) {
		r, err = b.roundTrip(ctx, b.mechanism, credentials)
		return err
	})
	switch {
	case err != nil:
		return sasl.Reply{}, err
	case r.code == ldap.LDAPResultSaslBindInProgress:
		b.open = true
		return sasl.Reply{Data: r.credentials}, nil
	case r.code == ldap.LDAPResultSuccess:
		return sasl.Reply{Data: r.credentials, Done: true}, nil
	}
	_, hasTLS := b.client.TLSConnectionState()
	why := r.refusal(first, hasTLS) // by words that may be withheld then
	return sasl.Reply{}, b.mux.examine(r).failure(why)
}

// within runs what waits for an answer, and closes the connection if the answer
// comes too late.
func (b *binder) within(ctx context.Context, wait func(context.Context) error) error {
	return transport.Within(ctx, transport.AnswerTimeout(b.client.options.StepTimeout), b.mux.ending(errBindOpen), wait)
}

// roundTrip sends a bind request. After success the reader waits for InstallLayer or
// Close, because the next octets of the server may belong to a layer.
func (b *binder) roundTrip(ctx context.Context, mechanism string, credentials []byte) (result, error) {
	id := b.client.takeID()
	frames, err := b.mux.roundTrip(ctx, newOwnRequest(id, false), encodeBind(id, mechanism, credentials))
	if err != nil {
		return result{}, err
	}
	r, err := decodeResult(frames[0], bindResponse)
	if err != nil || r.code != ldap.LDAPResultSuccess {
		b.mux.resume()
	}
	return r, err
}

// takeID returns the message ID of our next request. The caller has the turn.
func (c *Client) takeID() int64 {
	id := c.nextID
	if c.nextID++; c.nextID > math.MaxInt32 {
		c.nextID = firstID
	}
	return id
}
