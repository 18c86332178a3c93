package sasl

import (
	"context"
	"errors"
	"fmt"
)

// Class says how a caller can react to a failed run. Every error that a Client or
// a Server returns matches one of the classes below with errors.Is; ClassOf
// returns the class.
//
// A Class is itself an error, so an adapter or a mechanism of another module
// gives its errors a class by wrapping it: fmt.Errorf("%w: …", sasl.ErrProtocol).
type Class string

const (
	// ErrAuthentication: the credentials were refused. Ask for other credentials.
	ErrAuthentication Class = "authentication"
	// ErrAuthorization: the identity may not log in. The server refused the
	// authzid, or the account is disabled although the proof was right.
	ErrAuthorization Class = "authorization"
	// ErrProtocol: the peer violated the grammar or the order of the messages.
	ErrProtocol Class = "protocol"
	// ErrSecurity: tampering or a downgrade is the likely cause. Never try again
	// with a weaker mechanism or a weaker policy.
	ErrSecurity Class = "security"
	// ErrPolicy: this way is not possible with this server, regardless of the
	// credentials. A Client's own ErrPolicy comes before anything is sent, with two
	// exceptions: a salt or a key derivation that FIPS 140 forbids, and a server of
	// DIGEST-MD5 that demands a security layer. A client learns both in the exchange,
	// before the client sends anything that depends on the password. A server's ErrPolicy, in a *Failure or as the reason why the
	// server ends the connection, may come after a mechanism that does not keep
	// the secret has sent the secret.
	ErrPolicy Class = "policy"
	// ErrTemporary: the server asks the client to try again later.
	ErrTemporary Class = "temporary"
	// ErrConfig: the configuration or the credentials of the caller are not usable.
	// Nothing that depends on the password was sent.
	ErrConfig Class = "config"
	// ErrConnection: the connection was lost, timed out or was cancelled. The
	// outcome is unknown. The error also matches the context's error if the context
	// was the cause.
	ErrConnection Class = "connection"
)

// Error returns the class in words.
func (c Class) Error() string { return string(c) + " error" }

// String returns the name of the class, for example authentication.
func (c Class) String() string { return string(c) }

// MarshalText returns the name of the class.
func (c Class) MarshalText() ([]byte, error) { return []byte(c), nil }

// ClassOf returns the class of err, or "" if err is nil or has no class. For an
// error with two classes, ClassOf returns the first. A required but impossible
// channel binding, for example, is ErrPolicy and ErrSecurity.
func ClassOf(err error) Class {
	if err == nil { // a login that succeeds allocates nothing here
		return ""
	}
	var c Class
	errors.As(err, &c)
	return c
}

// withClass gives err a class unless err has a class.
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

// ownError is an error in the words of this package. The text repeats no word of
// the peer.
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

// Condition is a reason for refusal in the vocabulary of RFC 6120 s6.5. Adapters
// translate the words of their protocol into this vocabulary.
type Condition string

// The conditions of RFC 6120 s6.5. An unknown condition has the class of
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

// class returns the class of a condition. There is no other table of this kind.
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

// known reports whether RFC 6120 s6.5 defines the condition.
func (c Condition) known() bool {
	switch c {
	case Aborted, AccountDisabled, CredentialsExpired, EncryptionRequired, IncorrectEncoding, InvalidAuthzid,
		InvalidMechanism, MalformedRequest, MechanismTooWeak, NotAuthorized, TemporaryAuthFailure:
		return true
	}
	return false
}

// Failure is a refusal by the server: the exchange is over, and the connection is
// in sync. An Interface returns a Failure with Condition, Text and Err set and
// Class empty. The Client sets the class according to the condition and the run.
type Failure struct {
	Class     Class     // "" in an error of an Interface
	Condition Condition // in the words of RFC 6120 s6.5; "" = not stated
	Text      string    // the server's text for people, unverified
	Err       error     // the protocol's own error, for errors.As; nil if there is none
	// Unread reports that the server refused the command because of the command's
	// form, and therefore did not read the message in the command. IMAP's BAD has
	// this meaning, NO does not. See DeferringInterface.
	Unread bool
}

// Error returns the condition and the text without control characters.
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

// unclassed is an error of a mechanism without a class. If a refusal follows, the
// error takes the class of the refusal.
type unclassed struct{ error }

func (e *unclassed) Error() string   { return ErrProtocol.Error() + ": " + e.error.Error() }
func (e *unclassed) Unwrap() []error { return []error{ErrProtocol, e.error} }
