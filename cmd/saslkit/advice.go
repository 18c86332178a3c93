package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"syscall"

	sasl "github.com/saslkit/saslkit/core"
)

// oneLine is an error as a line that a terminal can show, with what to do about
// it: parts of it may be the words of whoever answered.
func oneLine(err error) string {
	text := sasl.Printable(strings.ReplaceAll(err.Error(), "\n", "; "))
	if advice := advise(err); advice != "" {
		text += " (" + advice + ")"
	}
	return text
}

func advise(err error) string {
	switch {
	case errors.Is(err, errDemo):
		return "see the table"
	case errors.As(err, new(x509.HostnameError)):
		return "the URL must have the name that the certificate has; --connect says where the connection goes instead"
	case errors.As(err, new(*tls.CertificateVerificationError)):
		return "--ca-file names the authority that you trust, if it is not one of the system's"
	case errors.As(err, new(*net.DNSError)):
		return "check the name of the host"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "check host and port; nothing listens there"
	case errors.Is(err, context.DeadlineExceeded):
		return "--timeout allows for more time"
	case errors.Is(err, context.Canceled):
		return "interrupted"
	}
	switch text := err.Error(); {
	case strings.Contains(text, "hides -PLUS"):
		return "check user name and password; --channel-binding disable allows for such a proxy"
	case strings.Contains(text, "DisableBinding"):
		return "--channel-binding says what to bind to"
	}
	switch sasl.ClassOf(err) {
	case sasl.ErrAuthentication:
		return "check user name and password"
	case sasl.ErrAuthorization:
		return "the password was right, but the identity may not do this"
	case sasl.ErrTemporary:
		return "try again later"
	case "":
		return "see --help"
	}
	return ""
}
