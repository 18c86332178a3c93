package saslimap

import (
	"errors"

	"github.com/emersion/go-imap/v2"

	sasl "github.com/saslkit/saslkit/core"
)

// failure translates a tagged NO or BAD (RFC 9051 s7.1, RFC 5530). The library's
// error is there for errors.As.
func failure(text string, err *imap.Error) *sasl.Failure {
	return &sasl.Failure{Condition: condition(err), Text: text, Err: err}
}

// isBad reports whether a refusal is a BAD: the server has not understood the
// command, and so has not read the message in it. A server that lists SASL-IR and
// does not know it answers BAD. NO is about the message itself.
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
	if stated := sasl.StatedCondition(err.Text); stated != "" {
		return stated
	}
	return sasl.NotAuthorized
}

// refusalFor returns the refusal that a client may see of a reason. imapserver
// sends an *imap.Error as it is, and SERVERBUG for any other error.
func refusalFor(reason error) error {
	var own *imap.Error
	if errors.As(reason, &own) {
		return own
	}
	refusal := &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeAuthenticationFailed, Text: "Authentication failed"}
	switch sasl.ClassOf(reason) {
	case sasl.ErrAuthorization:
		refusal.Code, refusal.Text = imap.ResponseCodeAuthorizationFailed, "Not allowed for this identity"
	case sasl.ErrProtocol:
		refusal.Type, refusal.Code, refusal.Text = imap.StatusResponseTypeBad, "", "Malformed authentication exchange"
	case sasl.ErrPolicy:
		refusal.Code, refusal.Text = imap.ResponseCodeCannot, "Mechanism not offered"
	case sasl.ErrTemporary, sasl.ErrConfig, sasl.ErrConnection, "":
		refusal.Code, refusal.Text = imap.ResponseCodeUnavailable, "Authentication is not available at the moment"
	}
	return refusal
}
