package saslimap

import (
	"github.com/emersion/go-imap/v2"

	sasl "github.com/saslkit/saslkit/core"
)

// refusal translates a NO or BAD (RFC 9051 s7.1, RFC 5530). The library's error
// stays reachable with errors.As.
func refusal(err *imap.Error) *sasl.Failure {
	return &sasl.Failure{Condition: condition(err), Text: err.Text, Err: err}
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
