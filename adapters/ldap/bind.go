package saslldap

import (
	"context"
	"fmt"
	"math"

	"github.com/go-ldap/ldap/v3"

	sasl "github.com/saslkit/saslkit/core"
)

// binder is an exchange of bind requests (RFC 4513 s5.2) as a sasl.Interface,
// while the library's requests are held back.
type binder struct {
	mux       *mux
	nextID    int64
	mechanism string
	open      bool // the server waits for another request
	client    *Client
	before    rootDSE // what the server said of itself before the bind
}

// Initiate sends the first request.
func (b *binder) Initiate(ctx context.Context, mechanism string, initial []byte) (sasl.Reply, error) {
	b.mechanism = mechanism
	reply, err := b.bind(ctx, initial, true)
	reply.Inline = initial != nil
	return reply, err
}

// Respond sends another.
func (b *binder) Respond(ctx context.Context, response []byte) (sasl.Reply, error) {
	return b.bind(ctx, response, false)
}

// Abort sends a request without a mechanism, which the server has to refuse
// (RFC 4511 s4.2.1).
func (b *binder) Abort(ctx context.Context) error {
	if !b.open {
		return fmt.Errorf("%w: there is no exchange that could be aborted", sasl.ErrProtocol)
	}
	b.open = false
	r, err := b.request(ctx, "", nil)
	if err == nil && (r.code == ldap.LDAPResultSuccess || r.code == ldap.LDAPResultSaslBindInProgress) {
		err = fmt.Errorf("%w: the server did not take the end of the exchange", sasl.ErrProtocol)
	}
	return err
}

// Relist reads the list of mechanisms again (RFC 4513 s5.2.1.2). The library does
// that, so its requests may go on now that the bind is over. A list that the
// server did not state before the bind says nothing.
func (b *binder) Relist(ctx context.Context) ([]string, error) {
	b.mux.bound.Store(true)
	b.mux.release()
	after, err := b.client.rootDSE(ctx)
	if b.before.mechanisms == nil {
		return nil, err
	}
	return after.mechanisms, err
}

// Close closes the connection.
func (b *binder) Close() error { return b.mux.Close() }

func (b *binder) bind(ctx context.Context, credentials []byte, first bool) (sasl.Reply, error) {
	b.open = false
	r, err := b.request(ctx, b.mechanism, credentials)
	switch {
	case err != nil:
		return sasl.Reply{}, err
	case r.code == ldap.LDAPResultSaslBindInProgress:
		b.open = true
		return sasl.Reply{Data: r.credentials}, nil
	case r.code == ldap.LDAPResultSuccess:
		return sasl.Reply{Data: r.credentials, Done: true}, nil
	}
	return sasl.Reply{}, r.failure(first)
}

func (b *binder) request(ctx context.Context, mechanism string, credentials []byte) (result, error) {
	id := b.nextID
	if b.nextID++; b.nextID > math.MaxInt32 {
		b.nextID = firstID
	}
	answer, err := b.mux.exchange(ctx, id, encodeBind(id, mechanism, credentials))
	if err != nil {
		return result{}, err
	}
	return decodeResult(answer, bindResponse)
}
