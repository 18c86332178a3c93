package saslldap

import (
	"strings"

	"github.com/go-ldap/ldap/v3"

	sasl "github.com/saslkit/saslkit/core"
)

// refusedReferral is the condition of a server that refers to another one. RFC 6120
// has no word for it.
const refusedReferral sasl.Condition = "referral"

// refusedLayer is the condition of a server that demands or refuses a security
// layer. RFC 6120 has no word for it.
const refusedLayer sasl.Condition = "security-layer"

// refusal says why a bind is refused.
type refusal struct {
	condition sasl.Condition
	class     sasl.Class // "" = that of the condition
}

// failure returns the error of a bind that is refused for this reason. The library's
// *ldap.Error is there for errors.As and ldap.IsErrorWithCode.
func (r result) failure(why refusal) error {
	return &sasl.Failure{Class: why.class, Condition: why.condition, Text: r.said(), Err: r.library()}
}

// refusal returns the meaning of a result code (RFC 4511 appendix A) for a bind.
// OpenLDAP answers "other" to the first message of an exchange if the user does not
// exist, and to a later message if the message is invalid.
func (r result) refusal(first, hasTLS bool) refusal {
	if (r.code == ldap.LDAPResultStrongAuthRequired || r.code == ldap.LDAPResultUnwillingToPerform) && strings.Contains(r.text, "Sign or Seal") {
		return refusal{refusedLayer, sasl.ErrPolicy} // Samba's words
	}
	switch r.code {
	case ldap.LDAPResultInvalidCredentials:
		return r.invalidCredentials()
	case ldap.LDAPResultReferral:
		return refusal{refusedReferral, sasl.ErrPolicy}
	case ldap.LDAPResultConstraintViolation, ldap.LDAPResultUnwillingToPerform:
		// Servers answer so for an account that is locked or inactive.
		return refusal{condition: sasl.AccountDisabled}
	case ldap.LDAPResultStrongAuthRequired:
		if text := strings.ToUpper(r.text); !hasTLS && (strings.Contains(text, "TLS") || strings.Contains(text, "SSL")) {
			return refusal{condition: sasl.EncryptionRequired}
		}
		return refusal{condition: sasl.MechanismTooWeak}
	case ldap.LDAPResultInappropriateAuthentication:
		return refusal{condition: sasl.MechanismTooWeak}
	case ldap.LDAPResultAuthMethodNotSupported:
		return refusal{condition: sasl.InvalidMechanism}
	case ldap.LDAPResultConfidentialityRequired:
		return refusal{condition: sasl.EncryptionRequired}
	case ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultAuthorizationDenied:
		return refusal{condition: sasl.InvalidAuthzid}
	case ldap.LDAPResultBusy, ldap.LDAPResultUnavailable, ldap.LDAPResultTimeLimitExceeded, ldap.LDAPResultTimeout:
		return refusal{condition: sasl.TemporaryAuthFailure}
	case ldap.LDAPResultProtocolError:
		return refusal{condition: sasl.MalformedRequest}
	case ldap.LDAPResultOther:
		if !first {
			return refusal{condition: sasl.MalformedRequest}
		}
	}
	return refusal{condition: sasl.NotAuthorized}
}

// accountWords are words of servers that answer invalidCredentials for a reason
// other than the password, with the reason. The first that is in the text counts.
var accountWords = []struct {
	word      string
	condition sasl.Condition
}{
	{"password expired", sasl.CredentialsExpired},
	{"password has expired", sasl.CredentialsExpired},
	{"password must be changed", sasl.CredentialsExpired},
	{"locked", sasl.AccountDisabled},
	{"lockout", sasl.AccountDisabled},
	{"inactivated", sasl.AccountDisabled},
	{"disabled", sasl.AccountDisabled},
	{"retry limit", sasl.AccountDisabled},
	{"account expired", sasl.AccountDisabled},
	{"account has expired", sasl.AccountDisabled},
}

// invalidCredentials returns the reason behind the result code of that name, which
// servers also use for other reasons than the password.
func (r result) invalidCredentials() refusal {
	if why, ok := microsoftReason(r.text); ok {
		return why
	}
	text := strings.ToLower(r.text)
	for _, row := range accountWords {
		if strings.Contains(text, row.word) {
			return refusal{condition: row.condition}
		}
	}
	return refusal{condition: sasl.NotAuthorized}
}
