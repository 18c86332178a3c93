package sasl

import (
	"context"
	"errors"
	"fmt"
)

// Client is the configuration of a client: what it may use and what it
// demands. It is safe for concurrent use and may serve any number of
// connections. The zero policy is the safe one.
type Client struct {
	// Mechanisms is what may be used, most preferred first; PasswordMechanisms
	// returns the full ladder. One run uses one mechanism, the first that the
	// server offers and the policy allows. There is no automatic second try, which
	// would hand the password to a server that refuses SCRAM. Empty: ErrConfig.
	Mechanisms []Mechanism
	// Binding is the policy about binding to the channel.
	Binding BindingPolicy
	// BindingTypes are the channel-binding types that may be used, most
	// preferred first; nil = whatever the connection offers, in its order.
	BindingTypes []string
	// Allow decides whether a mechanism may be used with a server. It is called
	// once for each of the mechanisms, whether the server offers it or not, before
	// anything is sent; and once more for each of the Client that Retry returns. If no mechanism is left, its error is the reason in an
	// ErrPolicy. Nil = SecureOnly.
	Allow func(Candidate) error
	// Retry is asked for the Client of another attempt on the same connection
	// after an attempt that failed and left the connection in sync: the server
	// refused, so that a person may type the password again, or the exchange was
	// given up, for example because the password could not be used. Nil, or a nil
	// Client, = no further attempt. There are three attempts at most, and none
	// after ErrSecurity, ErrPolicy or a cut, nor if nothing could be begun. The
	// Retry of the Client that it returns is not used.
	Retry func(ctx context.Context, refused error) *Client
	// Trace is called with each step of a run, in order, from the goroutine
	// that runs it. Passwords, keys and proofs are not in it. Nil = no trace.
	Trace func(Event)
	// SCRAM are the options of the SCRAM mechanisms.
	SCRAM SCRAMOptions
	// Tokens lets the Client log in with tokens that the server issued, before
	// any of Mechanisms, and ask for one. This needs an Interface that is a
	// TokenInterface; nil = no tokens.
	Tokens *Tokens

	nonce func() string // for Terms
}

// BindingPolicy is the policy of a Client about binding to the channel (RFC 5056).
type BindingPolicy uint8

const (
	// PreferBinding binds if both sides can.
	PreferBinding BindingPolicy = iota
	// RequireBinding uses only mechanisms that bind, with a binding that the
	// exchange confirms or that the server is known to enforce
	// (ServerInfo.EnforcesBinding).
	RequireBinding
	// DisableBinding never binds, and says so to the server.
	DisableBinding
)

// Candidate is a mechanism that a Client considers for a login.
type Candidate struct {
	Name       string
	Properties Properties
	Server     ServerInfo
}

// Result describes an authentication, on either side. It describes a completed
// one only if there is no error; with an error it has what was known by then.
type Result struct {
	Mechanism string `json:"mechanism,omitempty"`
	Binding   string `json:"binding,omitempty"` // the channel-binding type; "" = not bound
	// BindingUnconfirmed reports that the client sent the binding, and that
	// nothing shows whether the server compared it (BindsAlways).
	BindingUnconfirmed bool   `json:"binding_unconfirmed,omitempty"`
	Username           string `json:"username,omitempty"` // as prepared; "" if the mechanism has none
	Authzid            string `json:"authzid,omitempty"`  // "" = not stated
	// RoundTrips is the number of the client's messages that the server
	// answered.
	RoundTrips int `json:"round_trips"`
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

// SecureOnly is the policy of a Client without one. If the server is not known
// to be Secure, it allows only what is Anonymous or SafeWithoutTLS. Everything
// else, SCRAM too, would give an eavesdropper something to try passwords on.
func SecureOnly(c Candidate) error {
	return secureOnly(&c.Server, &c.Properties)
}

func secureOnly(srv *ServerInfo, properties *Properties) error {
	switch {
	case srv.Secure || properties.Anonymous || properties.SafeWithoutTLS:
		return nil
	case srv.InsecureReason != nil:
		return fmt.Errorf("%w: %w", errInsecure, srv.InsecureReason)
	}
	return errInsecure
}

// AllowInsecure returns SecureOnly with exceptions: the named mechanisms may
// be used with a server that is not Secure.
func AllowInsecure(mechanisms ...string) func(Candidate) error {
	return func(c Candidate) error {
		for _, name := range mechanisms {
			if name == c.Name {
				return nil
			}
		}
		return SecureOnly(c)
	}
}

var errInsecure = errors.New("the server is not verified or the connection not confidential")
