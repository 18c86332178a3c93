package saslldap

import (
	"github.com/go-ldap/ldap/v3"

	sasl "github.com/saslkit/saslkit/core"
)

// disconnection returns the error of a notice of disconnection (RFC 4511 s4.4.1), and
// nil for another notification, such as that of an aborted transaction (RFC 5805).
func (r result) disconnection() error {
	if r.name != "" && r.name != disconnectionNotice {
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
	if library := e.result.library(); library != nil {
		return []error{e.class, library}
	}
	return []error{e.class}
}
