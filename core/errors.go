package sasl

import (
	"context"
	"errors"
	"fmt"
)

// Class says what a caller can do about a failed run. Every error that a
// Client or a Server returns matches one of the classes below with errors.Is;
// ClassOf finds it.
//
// A Class is itself an error, so an adapter or a mechanism of another module
// gives its errors a class by wrapping it: fmt.Errorf("%w: …", sasl.ErrProtocol).
type Class string

const (
	// ErrAuthentication: the credentials were refused. Ask for others.
	ErrAuthentication Class = "authentication"
	// ErrAuthorization: the identity may not do this. The authzid was refused,
	// or the account is disabled although the proof was right.
	ErrAuthorization Class = "authorization"
	// ErrProtocol: the peer broke grammar or order.
	ErrProtocol Class = "protocol"
	// ErrSecurity: tampering or a downgrade is the likely cause. Never try
	// again with something weaker.
	ErrSecurity Class = "security"
	// ErrPolicy: this way is not possible with this server, whatever the
	// credentials are. A Client's own ErrPolicy comes before anything is sent,
	// with one exception: a salt or a key derivation that FIPS 140 forbids, which
	// a client learns in the exchange, before it sends anything that depends on
	// the password. A server's ErrPolicy, in a *Failure or as the reason why the
	// server ends the connection, may come after a mechanism that hands the secret
	// over has sent the secret.
	ErrPolicy Class = "policy"
	// ErrTemporary: the server says to come back later.
	ErrTemporary Class = "temporary"
	// ErrConfig: the configuration or the credentials that the caller passed in
	// cannot be used. Nothing that depends on the password was sent.
	ErrConfig Class = "config"
	// ErrConnection: cut, timed out or cancelled. The outcome is unknown. The
	// error also matches the context's error if that was the cause.
	ErrConnection Class = "connection"
)

// Error returns the class in words.
func (c Class) Error() string { return string(c) + " error" }

// String returns the name of the class, for example authentication.
func (c Class) String() string { return string(c) }

// MarshalText returns the name of the class.
func (c Class) MarshalText() ([]byte, error) { return []byte(c), nil }

// ClassOf returns the class of err, or "" if it is nil or has none. An error
// that has two (a channel binding that is required but impossible is
// ErrPolicy and ErrSecurity) is shown as the first.
func ClassOf(err error) Class {
	if err == nil { // a login that succeeds allocates nothing here
		return ""
	}
	var c Class
	errors.As(err, &c)
	return c
}

// withClass gives err a class unless it has one.
func withClass(err error, c Class) error {
	if ClassOf(err) != "" {
		return err
	}
	return fmt.Errorf("%w: %w", c, err)
}

func configError(format string, args ...any) error   { return classed(ErrConfig, format, args...) }
func protocolError(format string, args ...any) error { return classed(ErrProtocol, format, args...) }
func securityError(format string, args ...any) error { return classed(ErrSecurity, format, args...) }

func classed(c Class, format string, args ...any) error {
	return &ownError{c, fmt.Errorf(format, args...)}
}

// ownError is an error in words of this package, which repeat no word of the
// peer.
type ownError struct {
	class Class
	err   error
}

func (e *ownError) Error() string   { return e.class.Error() + ": " + e.err.Error() }
func (e *ownError) Unwrap() []error { return []error{e.class, e.err} }

// contextError is the error of a run that the context ended.
func contextError(ctx context.Context) error {
	return fmt.Errorf("%w: %w", ErrConnection, ctx.Err())
}

// Condition is a reason for refusal in the vocabulary of RFC 6120 s6.5, into
// which adapters translate the words of their protocol.
type Condition string

// The conditions of RFC 6120 s6.5. An unknown one has the class of
// not-authorized.
const (
	Aborted              Condition = "aborted"
	AccountDisabled      Condition = "account-disabled"
	CredentialsExpired   Condition = "credentials-expired"
	EncryptionRequired   Condition = "encryption-required"
	IncorrectEncoding    Condition = "incorrect-encoding"
	InvalidAuthzid       Condition = "invalid-authzid"
	InvalidMechanism     Condition = "invalid-mechanism"
	MalformedRequest     Condition = "malformed-request"
	MechanismTooWeak     Condition = "mechanism-too-weak"
	NotAuthorized        Condition = "not-authorized"
	TemporaryAuthFailure Condition = "temporary-auth-failure"
)

// class is the one table from conditions to classes.
func (c Condition) class() Class {
	switch c {
	case AccountDisabled, InvalidAuthzid:
		return ErrAuthorization
	case TemporaryAuthFailure:
		return ErrTemporary
	case EncryptionRequired, MechanismTooWeak, InvalidMechanism:
		return ErrPolicy
	case MalformedRequest, IncorrectEncoding, Aborted:
		return ErrProtocol
	}
	return ErrAuthentication
}

// known reports whether RFC 6120 s6.5 has the condition.
func (c Condition) known() bool {
	switch c {
	case Aborted, AccountDisabled, CredentialsExpired, EncryptionRequired, IncorrectEncoding, InvalidAuthzid,
		InvalidMechanism, MalformedRequest, MechanismTooWeak, NotAuthorized, TemporaryAuthFailure:
		return true
	}
	return false
}

// Failure is a refusal by the server: the exchange is over and the connection
// in sync. An Interface returns one with Condition, Text and Err set and Class
// empty. The Client fills in the class, by the condition and by what it knows
// of the run.
type Failure struct {
	Class     Class
	Condition Condition
	Text      string // what the server said for people; it is the server's word, unverified
	Err       error  // the protocol's own error, for errors.As; nil if there is none
	// Unread reports that the server refused the command because of its form, and
	// so did not read the message in it. IMAP's BAD says so, NO does not. See
	// DeferringInterface.
	Unread bool
}

// Error gives condition and text; control characters of the text are removed.
func (f *Failure) Error() string {
	class := f.Class
	if class == "" {
		class = f.Condition.class()
	}
	s := class.Error() + ": refused"
	if f.Condition != "" {
		s += " with " + Printable(string(f.Condition))
	}
	if f.Text != "" {
		s += ": " + Printable(f.Text)
	}
	return s
}

// Unwrap returns the class and the protocol's own error.
func (f *Failure) Unwrap() []error {
	class := f.Class
	if class == "" {
		class = f.Condition.class()
	}
	if f.Err == nil {
		return []error{class}
	}
	return []error{class, f.Err}
}
