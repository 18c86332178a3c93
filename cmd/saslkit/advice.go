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

// hintAdvice has the words of the command for each hint: they name its flags.
var hintAdvice = map[sasl.Hint]string{
	sasl.HintPassword:         "check user name and password",
	sasl.HintPreparation:      "SASLprep changed or refused the password; --mechanism PLAIN sends it as typed",
	sasl.HintOtherCredentials: "the server wants other credentials, for example a password for this application alone",
	sasl.HintToken:            "the token may have expired, or may be for another user, service or scope; get a new one",
	sasl.HintBinding:          "the channel binding may be the cause, or somebody in between; --channel-binding says what to bind to",
	sasl.HintProxy:            "a proxy may hide the mechanisms that bind; --channel-binding disable allows for such a proxy",
	sasl.HintList:             "a list of the server may have been truncated; --channel-binding says what to bind to",
}

// anotherMayDo has the classes of a refusal after which another mechanism may
// succeed: what is refused for the account or for the time being is refused for
// each of them.
var anotherMayDo = map[sasl.Class]bool{sasl.ErrAuthentication: true, sasl.ErrPolicy: true, sasl.ErrProtocol: true}

// others says what of the server's mechanisms was not used: after a refusal those
// that could still be tried, and if nothing was sent the reason for each.
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

// oneLine is an error as a line that a terminal can show, with what to do about
// it: parts of it may be the words of the server.
func oneLine(err error) string {
	text := err.Error()
	var login *sasl.LoginError
	if errors.As(err, &login) && !login.ByServer && login.PassedOver != nil { // the reasons follow, a line each
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
		return "the password was right, but the identity may not do this"
	case sasl.ErrTemporary:
		return "try again later"
	case "":
		return "see --help"
	}
	return ""
}

// hints says what may be behind the failure of a login, the most likely first.
func hints(login *sasl.LoginError) string {
	var list []string
	for _, hint := range login.Hints {
		list = append(list, hintAdvice[hint])
	}
	return strings.Join(list, "; ")
}
