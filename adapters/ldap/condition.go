package saslldap

import (
	"fmt"
	"strings"

	"github.com/go-ldap/ldap/v3"

	sasl "github.com/saslkit/saslkit/core"
)

// failure returns the error of a bind that is refused. The library's *ldap.Error is
// there for errors.As and ldap.IsErrorWithCode.
func (r result) failure(first bool) error {
	return &sasl.Failure{Condition: r.condition(first), Text: r.text, Err: r.library}
}

// condition returns the meaning of a result code (RFC 4511 appendix A) for a bind.
// OpenLDAP answers "other" to the first message of an exchange if the user does not
// exist, and to a later message if the message is invalid.
func (r result) condition(first bool) sasl.Condition {
	switch r.code {
	case ldap.LDAPResultInvalidCredentials:
		return subCondition(r.text)
	case ldap.LDAPResultInappropriateAuthentication, ldap.LDAPResultStrongAuthRequired:
		return sasl.MechanismTooWeak
	case ldap.LDAPResultAuthMethodNotSupported:
		return sasl.InvalidMechanism
	case ldap.LDAPResultConfidentialityRequired:
		return sasl.EncryptionRequired
	case ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultAuthorizationDenied:
		return sasl.InvalidAuthzid
	case ldap.LDAPResultBusy, ldap.LDAPResultUnavailable, ldap.LDAPResultTimeLimitExceeded, ldap.LDAPResultTimeout:
		return sasl.TemporaryAuthFailure
	case ldap.LDAPResultProtocolError:
		return sasl.MalformedRequest
	case ldap.LDAPResultOther:
		if !first {
			return sasl.MalformedRequest
		}
	}
	return sasl.NotAuthorized
}

// subCondition returns the meaning of the number that Active Directory puts into the
// text of invalidCredentials: "…: LdapErr: DSID-0C090400, comment:
// AcceptSecurityContext error, data 533, v1db1".
func subCondition(text string) sasl.Condition {
	_, reason, _ := strings.Cut(text, "LdapErr: ")
	_, reason, _ = strings.Cut(reason, ", data ")
	number, _, _ := strings.Cut(reason, ",")
	switch strings.ToLower(strings.TrimSpace(number)) {
	case "532", "773": // expired; must be changed
		return sasl.CredentialsExpired
	case "530", "531", "533", "701", "775": // hours; workstation; disabled; expired; locked
		return sasl.AccountDisabled
	}
	return sasl.NotAuthorized
}

// disconnection returns the error of a notice of disconnection (RFC 4511 s4.4.1), and
// nil for another notification, such as that of an aborted transaction (RFC 5805).
func disconnection(f frame) error {
	r, err := decodeResult(f, extendedResponse)
	switch {
	case err != nil:
		return err
	case r.name != "" && r.name != disconnectionNotice:
		return nil
	}
	class := sasl.ErrConnection
	switch r.code {
	case ldap.LDAPResultProtocolError:
		class = sasl.ErrProtocol
	case ldap.LDAPResultStrongAuthRequired:
		class = sasl.ErrPolicy
	case ldap.LDAPResultBusy, ldap.LDAPResultUnavailable:
		class = sasl.ErrTemporary
	}
	return &resultError{class, "the server ends the connection", r}
}

// words returns the result code and the server's text.
func (r result) words() string {
	words := fmt.Sprintf("result code %d", r.code)
	if r.text != "" {
		words += ": " + r.text
	}
	return words
}

// resultError is the error of an LDAPResult that belongs to no exchange. The
// library's error is there for errors.As.
type resultError struct {
	class  sasl.Class
	what   string
	result result
}

func (e *resultError) Error() string {
	return e.class.Error() + ": " + e.what + ", with " + sasl.Printable(e.result.words())
}

func (e *resultError) Unwrap() []error {
	if e.result.library == nil {
		return []error{e.class}
	}
	return []error{e.class, e.result.library}
}
