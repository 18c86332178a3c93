package krb5

import (
	"fmt"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	sasl "github.com/saslkit/saslkit/core"
)

// KDCError is a refusal by a KDC, or by the server in its answer to a ticket: a
// KRB-ERROR (RFC 4120 s5.9.1).
type KDCError struct {
	Code int32  // RFC 4120 s7.5.9
	Text string // for people, unverified; "" = none

	data []byte // the e-data: what preauthentication needs
}

// Error returns the class, what to do, the code and the text without control
// characters.
func (e *KDCError) Error() string {
	class, advice := e.meaning()
	s := fmt.Sprintf("%s: %s (Kerberos error %d", class.Error(), advice, e.Code)
	if e.Text != "" {
		s += ", " + sasl.Printable(e.Text)
	}
	return s + ")"
}

// Unwrap returns the class.
func (e *KDCError) Unwrap() error {
	class, _ := e.meaning()
	return class
}

// meaning returns the class of a code and a sentence that says what to do.
func (e *KDCError) meaning() (sasl.Class, string) {
	switch e.Code {
	case errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN:
		return sasl.ErrAuthentication, "the KDC knows no such principal; check its spelling and its realm, in which case matters"
	case errorcode.KDC_ERR_PREAUTH_FAILED, errorcode.KRB_AP_ERR_BAD_INTEGRITY:
		return sasl.ErrAuthentication, "the password or the key is wrong"
	case errorcode.KDC_ERR_KEY_EXPIRED:
		return sasl.ErrAuthentication, "the password has expired; change it first"
	case errorcode.KRB_AP_ERR_TKT_EXPIRED:
		return sasl.ErrAuthentication, errTicketExpired
	case errorcode.KDC_ERR_NAME_EXP, errorcode.KDC_ERR_CLIENT_REVOKED, errorcode.KDC_ERR_POLICY, errorcode.KDC_ERR_CLIENT_NOTYET:
		return sasl.ErrAuthorization, "the KDC refuses this principal, which may be disabled, locked or expired; ask its administrator"
	case errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN, errorcode.KDC_ERR_MUST_USE_USER2USER:
		return sasl.ErrConfig, "the KDC knows no such service; connect with the server's full name, or set Options.ServicePrincipal"
	case errorcode.KDC_ERR_ETYPE_NOSUPP:
		return sasl.ErrPolicy, "the KDC has no key of a type that is allowed here; give the principal or the service an AES key"
	case errorcode.KRB_AP_ERR_SKEW, errorcode.KDC_ERR_NEVER_VALID, errorcode.KRB_AP_ERR_TKT_NYV:
		return sasl.ErrConfig, "the clocks differ too much; set the clock of this machine, or of the server"
	case errorcode.KDC_ERR_WRONG_REALM:
		return sasl.ErrConfig, "the principal is in another realm; write its realm, in which case matters"
	case errorcode.KDC_ERR_SVC_UNAVAILABLE:
		return sasl.ErrTemporary, "the KDC is not available; try again later"
	case errorcode.KRB_AP_ERR_MODIFIED, errorcode.KRB_AP_ERR_BADKEYVER, errorcode.KRB_AP_ERR_NOKEY, errorcode.KRB_AP_ERR_NOT_US:
		return sasl.ErrConfig, "the server has no key that fits the ticket; check Options.ServicePrincipal and the server's keytab"
	}
	return sasl.ErrAuthentication, "Kerberos refused"
}

const errTicketExpired = "the ticket has expired; call kinit again"
