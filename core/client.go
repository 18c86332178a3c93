package sasl

import (
	"context"
	"errors"
	"io"
)

// Client is the configuration of a client: what it may use and what it
// demands. It is safe for concurrent use and may serve any number of
// connections. The zero policy is the safe one.
type Client struct {
	// Mechanisms is what may be used, most preferred first; PasswordMechanisms
	// returns the full ladder. One run uses one mechanism, the first that the
	// server offers and the policy allows: there is no automatic second try,
	// which would hand the password to whoever refuses SCRAM. Empty: ErrConfig.
	Mechanisms []Mechanism
	// Binding says whether to bind to the channel.
	Binding BindingPolicy
	// BindingTypes are the channel-binding types that may be used, most
	// preferred first; nil = whatever the connection offers, in its order.
	BindingTypes []string
	// Allow says whether a mechanism may be used with a server; its error,
	// without a Class, counts as ErrPolicy. Nil = SecureOnly.
	Allow func(mechanism string, srv ServerInfo) error
	// Retry is asked for the Client of another attempt on the same connection
	// after one that failed and left it in sync: the server refused, so that a
	// person may type the password again, or the exchange was given up, for
	// example because the password could not be used. Nil, or a nil Client, = no
	// further attempt. There are three attempts at most, and none after
	// ErrSecurity, ErrPolicy or a cut, nor where nothing could be begun. The
	// Retry of the Client that it returns is not used.
	Retry func(ctx context.Context, refused error) *Client
	// Trace is called with each step of a run, in order, from the goroutine
	// that runs it. Passwords, keys and proofs are not in it. Nil = no trace.
	Trace func(Event)
	// SCRAM are the knobs of the SCRAM mechanisms.
	SCRAM SCRAMOptions
	// Tokens lets it log in with tokens that the server issued, before any of
	// Mechanisms, and ask for one. Only over an Interface that is a
	// TokenInterface; nil = no tokens.
	Tokens *Tokens

	nonce     func() string // for Terms
	sentToken bool          // in this operation: what hands a secret over is out
}

// BindingPolicy says whether a Client binds to the channel (RFC 5056).
type BindingPolicy uint8

const (
	// PreferBinding binds where both sides can.
	PreferBinding BindingPolicy = iota
	// RequireBinding uses nothing but mechanisms that bind.
	RequireBinding
	// DisableBinding never binds, and says so to the server.
	DisableBinding
)

// Result tells how a client, or at a server, authenticated.
type Result struct {
	Mechanism string
	Binding   string // the channel-binding type; "" = not bound
	Username  string // as prepared; "" if the mechanism has none
	Authzid   string // "" = not stated
	// RoundTrips is the number of the client's messages that the server
	// answered.
	RoundTrips int
}

// PasswordMechanisms returns every client mechanism for a password, most
// preferred first: SCRAM bound to the channel, with SHA-512, SHA3-512, SHA-384,
// SHA-256, SHA-224 and SHA-1, then SCRAM unbound with the same, then PLAIN.
func PasswordMechanisms(credentials Credentials) []Mechanism {
	ladder := make([]Mechanism, 0, 2*len(hashesByPreference)+1)
	for _, h := range hashesByPreference {
		ladder = append(ladder, SCRAMPlus(h, credentials))
	}
	for _, h := range hashesByPreference {
		ladder = append(ladder, SCRAM(h, credentials))
	}
	return append(ladder, Plain(credentials))
}

// SecureOnly is the policy of a Client without one: where the server is not
// known to be Secure, only ANONYMOUS. Everything else, SCRAM too, would give an
// eavesdropper something to try passwords on.
func SecureOnly(mechanism string, srv ServerInfo) error {
	if srv.Secure || mechanism == "ANONYMOUS" {
		return nil
	}
	return errInsecure
}

// AllowInsecure returns SecureOnly with exceptions: the named mechanisms may
// be used with a server that is not Secure.
func AllowInsecure(mechanisms ...string) func(mechanism string, srv ServerInfo) error {
	return func(mechanism string, srv ServerInfo) error {
		for _, name := range mechanisms {
			if name == mechanism {
				return nil
			}
		}
		return SecureOnly(mechanism, srv)
	}
}

var errInsecure = errors.New("the server is not verified or the connection not confidential")

// Authenticate authenticates over conn. A nil error means that the server has
// proved all that the mechanism demands; the Result is valid only then.
//
// When ctx ends, also if it had before, conn is closed. It is also closed after
// every error that left the exchange open, and after an ErrSecurity of a run in
// which something was sent. After another error it is in sync and Authenticate
// may be called again.
func (c *Client) Authenticate(ctx context.Context, conn Interface, srv ServerInfo) (Result, error) {
	_, tokens := conn.(TokenInterface)
	return c.operate(ctx, conn, &srv, tokens, func(s *Session) error { return s.converse(conn) })
}

// Drive authenticates through a library that owns its loop: run hands the
// Session to it and returns the library's error, a refusal as *Failure. What
// the Session knows outranks that error: a library that returns nil although
// the server has not proved everything does not lead to success, and a
// mechanism's own error is not lost in it. If run returns nil and has not
// called Finish, the server is taken to have announced success without data.
//
// After any other error than a *Failure conn is closed, unless run returned
// before it called Start: a foreign loop does not say whether it left the
// exchange cleanly.
func (c *Client) Drive(ctx context.Context, conn io.Closer, srv ServerInfo, run func(*Session) error) (Result, error) {
	return c.operate(ctx, conn, &srv, false, run)
}

// Begin selects the mechanism and returns the Session of a run, for a loop
// that sees success announced and reports it with Finish. Nearly everyone
// wants Authenticate or Drive, which cannot be misread.
func (c *Client) Begin(ctx context.Context, srv ServerInfo) (*Session, error) {
	return c.begin(ctx, &srv, false)
}

// begin chooses; tokens says that the protocol carries them.
func (c *Client) begin(ctx context.Context, srv *ServerInfo, tokens bool) (*Session, error) {
	if ctx.Err() != nil {
		return nil, contextError(ctx)
	}
	tokens = tokens && c.Tokens != nil
	chosen, err := c.chooseAny(ctx, srv, tokens)
	if err != nil {
		return nil, err
	}
	s := &Session{ctx: ctx, client: c, mechanism: chosen.mechanism, token: chosen.token, terms: Terms{
		Server:           *srv,
		Binding:          chosen.binding,
		GS2Flag:          chosen.flag,
		ListHashRequired: chosen.confirm,
		SCRAM:            c.SCRAM,
		nonce:            c.nonce,
	}}
	if tokens && s.token == nil {
		s.wanted = c.wantedToken(srv)
	}
	s.exchange = chosen.mechanism.New(s.terms)
	return s, nil
}
