package sasl

import (
	"context"
	"errors"
	"fmt"
)

// Client is the configuration of a client: the mechanisms that the client may use,
// and its demands on the server and the connection. A Client is safe for
// concurrent use and may serve any number of connections. The zero values of the
// policies are the safe values.
type Client struct {
	// Mechanisms are the mechanisms that the client may use, most preferred first;
	// PasswordMechanisms returns the full list. One run uses one mechanism, the
	// first that the server offers and the policy allows. There is no automatic
	// second try, which would reveal the password to a server that refuses SCRAM.
	// Empty Mechanisms are an ErrConfig.
	Mechanisms []Mechanism
	// Binding is the policy about binding to the channel.
	Binding BindingPolicy
	// BindingTypes are the channel-binding types that the client may use, most
	// preferred first; nil = all types of the connection, in the connection's order.
	BindingTypes []string
	// Allow returns nil if the client may use a mechanism with a server. The Client
	// calls Allow once for each mechanism, offered or not, before anything is sent,
	// and again once for each mechanism of the Client that Retry returns. If no
	// mechanism is left, the error of Allow is the reason in an ErrPolicy. Nil =
	// SecureOnly.
	Allow func(Candidate) error
	// Retry returns the Client of another attempt on the same connection. Retry is
	// called after a failed attempt that left the connection in sync: the server
	// refused, so that a person may type the password again, or the client gave up
	// the exchange, for example because the password is not usable. A nil Retry,
	// or a nil Client, means no further attempt. There are at most three attempts.
	// There is no attempt after ErrSecurity, after ErrPolicy, after a lost
	// connection, or if no run could begin. The returned Client's own Retry is not
	// used.
	Retry func(ctx context.Context, failed error) *Client
	// Trace is called with each step of a run, in order, from the goroutine of the
	// run. The events contain no passwords, keys or proofs. Nil = no trace.
	Trace func(Event)
	// SCRAM are the options of the SCRAM mechanisms.
	SCRAM SCRAMOptions
	// Keys keeps the keys that SCRAM derives from a password. If the keys for the
	// server's salt and iteration count are known, a run needs neither the password
	// nor the work of the derivation. Nil = the Client keeps no keys. Begin takes
	// the keys out of the store until Finish has returned nil, because nobody
	// reports to the Session that the server has refused.
	Keys KeyStore
	// Tokens lets the Client log in with a token that the server issued, before
	// any of Mechanisms, and ask for a token. Tokens need an Interface that is a
	// TokenInterface; nil = no tokens.
	Tokens *Tokens

	nonce func() string // for Terms
}

// BindingPolicy is the policy of a Client about binding to the channel (RFC 5056).
type BindingPolicy uint8

const (
	// PreferBinding binds if both sides can bind.
	PreferBinding BindingPolicy = iota
	// RequireBinding uses only mechanisms that bind. The exchange must confirm the
	// binding, or the caller must state that the server enforces the binding
	// (ServerInfo.EnforcesBinding).
	RequireBinding
	// DisableBinding never binds, and the gs2 flag 'n' states this to the server.
	DisableBinding
)

// Candidate is a mechanism that a Client considers for a login.
type Candidate struct {
	Name       string     // of the mechanism
	Properties Properties // what the mechanism declares
	Server     ServerInfo // the server and the connection
	// Layer is the security layer that a run of the mechanism demands.
	Layer LayerStrength
}

// Result describes an authentication, on either side. Without an error, the
// authentication is complete. With an error, the Result holds the facts that were
// known when the error occurred.
type Result struct {
	Mechanism string `json:"mechanism,omitempty"` // the name of the mechanism
	Binding   string `json:"binding,omitempty"`   // the channel-binding type; "" = not bound
	// BindingUnconfirmed reports that the client sent the binding, but has no proof
	// that the server compared the binding (BindsAlways).
	BindingUnconfirmed bool   `json:"binding_unconfirmed,omitempty"`
	Username           string `json:"username,omitempty"` // as prepared; "" if the mechanism has no username
	Authzid            string `json:"authzid,omitempty"`  // "" = not stated
	// Layer is the strength of the negotiated security layer; "" = no layer.
	Layer LayerStrength `json:"layer,omitempty"`
	// RoundTrips is the number of the client's messages that the server
	// answered.
	RoundTrips int `json:"round_trips"`
}

// PasswordMechanisms returns every client mechanism for a password, most
// preferred first: SCRAM bound to the channel, with SHA-512, SHA3-512, SHA-384,
// SHA-256, SHA-224 and SHA-1, then unbound SCRAM with the same hashes, then PLAIN.
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

// SecureOnly is the policy of a Client whose Allow is nil. If the server is not
// Secure, SecureOnly allows only a mechanism that is Anonymous, or that is
// SafeWithoutTLS and has to negotiate a ConfidentialityLayer. Every other mechanism, also SCRAM, would give an eavesdropper data for testing
// guesses of the password.
func SecureOnly(c Candidate) error {
	return secureOnly(&c.Server, &c.Properties, c.Layer)
}

func secureOnly(srv *ServerInfo, properties *Properties, layer LayerStrength) error {
	switch {
	case srv.Secure || properties.Anonymous || properties.SafeWithoutTLS && layer == ConfidentialityLayer:
		return nil
	case srv.InsecureReason != nil:
		return fmt.Errorf("%w: %w", errInsecure, srv.InsecureReason)
	}
	return errInsecure
}

// AllowInsecure returns SecureOnly with exceptions: the named mechanisms are
// allowed with a server that is not Secure.
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
