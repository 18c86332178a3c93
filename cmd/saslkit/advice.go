package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"syscall"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	sasl "github.com/saslkit/saslkit/core"
)

// hintAdvice has the command's text for each hint. The text names flags of the
// command, and no Go identifier.
var hintAdvice = map[sasl.Hint]string{
	sasl.HintPassword:         "check the user name and the password",
	sasl.HintPreparation:      "SASLprep changed or refused the password; --mechanism PLAIN sends it as typed",
	sasl.HintOtherCredentials: "the server demands other credentials, for example a password for this application only",
	sasl.HintToken:            "the token may have expired, or may be for another user, service or scope; get a new token",
	sasl.HintBinding:          "the channel binding or a man in the middle may be the cause; --channel-binding chooses the binding",
	sasl.HintProxy:            "a proxy may hide the mechanisms that bind; use --channel-binding disable if this proxy is known",
	sasl.HintList:             "a list of the server may have been truncated; --channel-binding chooses the binding",
}

// anotherMayDo has the classes of a refusal after which another mechanism may
// succeed. A refusal of the account, or a temporary refusal, is the same for each
// mechanism.
var anotherMayDo = map[sasl.Class]bool{sasl.ErrAuthentication: true, sasl.ErrPolicy: true, sasl.ErrProtocol: true}

// others lists the server's mechanisms that the login did not use. After a refusal
// the list has the mechanisms that could still be tried. If the login ended before
// anything was sent, the list has the reason for each mechanism.
func others(err error) (lines []string) {
	var login *sasl.LoginError
	switch {
	case !errors.As(err, &login):
		return nil
	case login.ByServer && len(login.NotTried) > 0 && anotherMayDo[sasl.ClassOf(err)]:
		return []string{"not tried: " + strings.Join(login.NotTried, " ") + " (--mechanism chooses one)"}
	case login.ByServer:
		return nil
	}
	for _, p := range login.PassedOver {
		lines = append(lines, "not used: "+sasl.Printable(p.Mechanism+": "+p.Reason.Error()))
	}
	return lines
}

// oneLine returns an error as one line with advice. The line is printable, because
// parts of the error may be words of the server.
func oneLine(err error) string {
	text := err.Error()
	var login *sasl.LoginError
	if errors.As(err, &login) && !login.ByServer && login.PassedOver != nil { // others prints each reason on its own line
		text, _, _ = strings.Cut(text, "; ")
	}
	if errors.Is(err, saslldap.ErrNoList) {
		text, _, _ = strings.Cut(text, ": set Options.") // the advice for Go programmers
	}
	text = sasl.Printable(strings.ReplaceAll(text, "\n", "; "))
	if advice := advise(err); advice != "" {
		text += " (" + advice + ")"
	}
	return text
}

// advise returns what the user can do about an error, or "".
func advise(err error) string {
	switch {
	case errors.Is(err, errDemo):
		return "see the table"
	case errors.As(err, new(x509.HostnameError)):
		return "use the name of the certificate in the URL; --connect sets another address for the connection"
	case errors.As(err, new(*tls.CertificateVerificationError)):
		return "use --ca-file if the system does not have the authority that you trust"
	case errors.As(err, new(*net.DNSError)):
		return "check the host name"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens at this address; check the host and the port"
	case errors.Is(err, context.DeadlineExceeded):
		return "use --timeout to allow more time"
	case errors.Is(err, context.Canceled):
		return "interrupted"
	case errors.Is(err, saslldap.ErrNoList):
		return "--mechanism counts as the list of such a server"
	}
	var login *sasl.LoginError
	if errors.As(err, &login) && len(login.Hints) > 0 {
		return hints(login)
	}
	if f := new(sasl.Failure); errors.As(err, &f) && f.Condition == sasl.AccountDisabled {
		return "the server refuses the account, whatever the password is"
	}
	switch sasl.ClassOf(err) {
	case sasl.ErrAuthorization:
		return "the password is correct, but the server does not allow this identity"
	case sasl.ErrTemporary:
		return "try again later"
	case "":
		return "see --help"
	}
	return ""
}

// hints returns the possible causes of a failed login, the most likely cause first.
func hints(login *sasl.LoginError) string {
	var list []string
	for _, hint := range login.Hints {
		list = append(list, hintAdvice[hint])
	}
	return strings.Join(list, "; ")
}
