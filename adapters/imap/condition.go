package saslimap

import (
	"errors"

	"github.com/emersion/go-imap/v2"

	sasl "github.com/saslkit/saslkit/core"
)

// refusal translates a NO or BAD (RFC 9051 s7.1, RFC 5530). The library's error
// stays reachable with errors.As.
func refusal(err *imap.Error) *sasl.Failure {
	return &sasl.Failure{Condition: condition(err), Text: err.Text, Err: err}
}

// isBad reports whether a refusal is a BAD: the server has not understood the
// command, and so has not read the message in it. Servers that list SASL-IR and
// do not know it answer so; NO is about the message itself.
func isBad(err error) bool {
	var own *imap.Error
	return errors.As(err, &own) && own.Type == imap.StatusResponseTypeBad
}

func condition(err *imap.Error) sasl.Condition {
	if err.Type == imap.StatusResponseTypeBad {
		return sasl.MalformedRequest
	}
	switch err.Code {
	case imap.ResponseCodeAuthorizationFailed:
		return sasl.InvalidAuthzid
	case imap.ResponseCodeExpired:
		return sasl.CredentialsExpired
	case imap.ResponseCodePrivacyRequired:
		return sasl.EncryptionRequired
	case imap.ResponseCodeUnavailable, imap.ResponseCodeInUse, imap.ResponseCodeServerBug, imap.ResponseCodeLimit:
		return sasl.TemporaryAuthFailure
	case imap.ResponseCodeContactAdmin, imap.ResponseCodeNoPerm:
		return sasl.AccountDisabled
	case imap.ResponseCodeCannot:
		return sasl.InvalidMechanism
	case imap.ResponseCodeClientBug:
		return sasl.MalformedRequest
	}
	return sasl.NotAuthorized
}
