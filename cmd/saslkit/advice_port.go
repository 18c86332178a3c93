package main

import (
	"errors"
	"fmt"

	"github.com/saslkit/saslkit/channelbinding/transport"
)

// otherScheme is the scheme of the same protocol that starts TLS in the other way.
var otherScheme = map[string]string{
	"imap": "imaps", "imaps": "imap",
	"ldap": "ldaps", "ldaps": "ldap",
	"smtp": "smtps", "smtps": "smtp", "submissions": "smtp",
	"xmpp": "xmpps", "xmpps": "xmpp",
}

// beginsWithTLS reports whether a URL with the scheme has TLS from the first octet.
func beginsWithTLS(scheme string) bool { return scheme[len(scheme)-1] == 's' }

// schemeOf returns the scheme of the login that an error is from; "" = not known.
func schemeOf(err error) string {
	var e *schemeError
	if errors.As(err, &e) {
		return e.scheme
	}
	return ""
}

// portRemedy returns what the user can do about a wrong port or a wrong scheme.
func portRemedy(scheme string, found transport.PortSign) string {
	other, ok := otherScheme[scheme]
	switch {
	case !ok:
		return "check the port"
	case found == transport.PortTLS:
		return fmt.Sprintf("this port is for TLS from the first octet; write %s:// in place of %s://", other, scheme)
	case found == transport.PortClear:
		return fmt.Sprintf("this port is for STARTTLS; write %s:// in place of %s://", other, scheme)
	case found == transport.PortSilent && beginsWithTLS(scheme):
		return fmt.Sprintf("if this port is for STARTTLS, write %s:// in place of %s://", other, scheme)
	case found == transport.PortSilent:
		return fmt.Sprintf("if this port is for TLS from the first octet, write %s:// in place of %s://", other, scheme)
	}
	return "check the port" + usualPorts(scheme)
}

// usualPorts names the ports of a protocol; "" if they are looked up.
func usualPorts(scheme string) string {
	other := otherScheme[scheme]
	if schemes[scheme].port == "" {
		return ""
	}
	return fmt.Sprintf("; the usual port is %s for %s:// and %s for %s://", schemes[scheme].port, scheme, schemes[other].port, other)
}

// startTLSRemedy returns what the user can do about a server without STARTTLS.
func startTLSRemedy(scheme string) string {
	other, ok := otherScheme[scheme]
	if !ok || beginsWithTLS(scheme) {
		return ""
	}
	return fmt.Sprintf("write %s:// in place of %s:// if the server has a port for TLS from the first octet", other, scheme)
}
