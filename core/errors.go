package sasl

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// Class says what a caller can do about a failed run. Every error that a
// Client or a Server returns matches one of the classes below with errors.Is;
// ClassOf finds it.
//
// A Class is itself an error, so an adapter or a foreign mechanism gives its
// errors a class by wrapping it: fmt.Errorf("%w: …", sasl.ErrProtocol).
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
	// ErrPolicy: refused before anything secret was sent, by the policy here
	// or by the server's.
	ErrPolicy Class = "policy"
	// ErrTemporary: the server says to come back later.
	ErrTemporary Class = "temporary"
	// ErrConfig: what the caller passed in cannot be used. Nothing was sent.
	ErrConfig Class = "config"
	// ErrConnection: cut, timed out or cancelled. The outcome is unknown. The
	// error also matches the context's error where that was the cause.
	ErrConnection Class = "connection"
)

// Error returns the class in words.
func (c Class) Error() string { return string(c) + " error" }

// ClassOf returns the class of err, or "" if it is nil or has none. An error
// that has two (a channel binding that is required but impossible is
// ErrPolicy and ErrSecurity) is shown as the first.
func ClassOf(err error) Class {
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
	return fmt.Errorf("%w: %w", c, fmt.Errorf(format, args...))
}

// contextError is the error of a run that the context ended.
func contextError(ctx context.Context) error {
	return fmt.Errorf("%w: %w", ErrConnection, ctx.Err())
}

// Condition is a reason for refusal in the vocabulary of RFC 6120 s6.5, into
// which adapters translate the words of their protocol.
type Condition string

// The conditions of RFC 6120 s6.5. An unknown one counts as not-authorized.
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

// Failure is a refusal by the server: the exchange is over and the connection
// in sync. An Interface returns one with Condition, Text and Err set and Class
// empty; the Client fills in the class, by the condition and by what it knows
// of the run.
type Failure struct {
	Class     Class
	Condition Condition
	Text      string // what the server said for people; it is the server's word, unverified
	Err       error  // the protocol's own error, for errors.As; nil if there is none
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

// Printable makes a peer's text fit for a terminal and for one line of a log: it
// drops what is not printable, and all beyond 512 octets.
func Printable(s string) string {
	const most = 512
	cut := len(s) > most
	if cut {
		s = s[:most]
	}
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if cut {
		s += "…"
	}
	return s
}
