package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"syscall"

	saslimap "github.com/saslkit/saslkit/adapters/imap"
	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// hintAdvice has the command's text for each hint. The text names flags of the
// command, and no Go identifier.
var hintAdvice = map[sasl.Hint]string{
	sasl.HintPassword:         "check the user name and the password",
	sasl.HintPreparation:      "SASLprep changed or refused the password; --raw-password sends it as typed, and so does --mechanism PLAIN",
	sasl.HintOtherCredentials: "the server demands other credentials, for example a password for this application only",
	sasl.HintToken:            "the token may have expired, or may be for another user, service or scope; get a new token",
	sasl.HintServiceKey:       "the ticket may be for another key or name than the server's; check --service-principal and the server's keytab",
	sasl.HintClock:            "the clocks of client and server may differ; set both",
	sasl.HintBinding:          "the channel binding or a man in the middle may be the cause; --channel-binding chooses the binding",
	sasl.HintProxy:            "a proxy may hide the mechanisms that bind; use --channel-binding disable if this proxy is known",
	sasl.HintLayer:            "the server may demand a security layer, or refuse one under TLS; --layer chooses the layer",
	sasl.HintList:             "a list of the server may have been truncated; --channel-binding chooses the binding",
}

// schemeError is an error of a login, with the scheme of the URL for the advice.
type schemeError struct {
	scheme string
	error
}

func (e *schemeError) Unwrap() error { return e.error }

// failed returns an error of the login with the facts that the advice needs.
func (t *target) failed(err error) error {
	if t.lookedUp {
		return &addressError{t, err}
	}
	return &schemeError{t.scheme, err}
}

// advise returns the lines about an error that follow its first line: the advice,
// the most likely cause first, and then the mechanisms that the login did not use.
func advise(err error) (lines []string) {
	for _, text := range remedies(err) {
		lines = append(lines, "advice: "+sasl.Printable(text))
	}
	return append(lines, others(err)...)
}

// remedies returns what the user can do about an error, the most likely cause
// first.
func remedies(err error) []string {
	if text := connectionRemedy(err); text != "" {
		return []string{text}
	}
	var login *sasl.LoginError
	var failure *sasl.Failure
	errors.As(err, &failure)
	if errors.As(err, &login) && len(login.Hints) > 0 {
		return hints(login, failure)
	}
	if login != nil && !login.ByServer {
		if name := unnamed(login); name != "" {
			return []string{"saslkit uses " + name + " only if it is named; use --mechanism " + name}
		}
	}
	if wrong := new(misspelt); errors.As(err, &wrong) {
		return []string{"the nearest name is " + wrong.nearest + "; see --help"}
	}
	switch class := sasl.ClassOf(err); {
	case failure != nil && failure.Condition == sasl.AccountDisabled:
		return []string{"the server refuses the account, whatever the password is"}
	case class == sasl.ErrAuthorization:
		return []string{"the password is correct, but the server does not allow this identity"}
	case class == sasl.ErrTemporary:
		return []string{"try again later"}
	case class == "":
		return []string{"see --help"}
	}
	return nil
}

// unnamed returns the first mechanism that the command uses only if it is named, if
// the server has no other mechanism of the command; else "".
func unnamed(login *sasl.LoginError) (name string) {
	known := mechanismNames(knownMechanisms(&target{}, "", "", nil, nil))
	for _, p := range login.PassedOver {
		switch isNamed := slices.Contains(mechanismNames(onlyNamed(nil)), p.Mechanism); {
		case isNamed && name == "":
			name = p.Mechanism
		case !isNamed && slices.Contains(known, p.Mechanism):
			return "" // there is another reason
		}
	}
	return name
}

// connectionRemedy returns what the user can do about an error that does not come
// from the login itself, or "".
func connectionRemedy(err error) string {
	if text := addressRemedy(err); text != "" {
		return text
	}
	switch port := new(transport.PortError); {
	case errors.Is(err, errDemo):
		return "see the table"
	case errors.As(err, new(*tls.CertificateVerificationError)):
		return certificateRemedy(err)
	case errors.As(err, &port):
		return portRemedy(schemeOf(err), port.Found)
	case errors.Is(err, transport.ErrNoStartTLS):
		return startTLSRemedy(schemeOf(err))
	case errors.As(err, new(*net.DNSError)):
		return "check the host name"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens at this address; check the host and the port"
	case errors.Is(err, context.DeadlineExceeded):
		return "use --timeout to allow more time"
	case errors.Is(err, context.Canceled):
		return "the login was interrupted"
	case errors.Is(err, saslldap.ErrNoList):
		return "--mechanism counts as the list of such a server"
	case errors.Is(err, saslimap.ErrLoginCommand):
		return "use --mechanism IMAP-LOGIN to log in with this command"
	}
	return ""
}

// ownReason finds words of a server that name another reason than a wrong user name
// or a wrong password.
var ownReason = regexp.MustCompile(`(?i)\b(disabled?|deactivated|inactivated|not (supported|enabled|allowed|permitted)|unsupported|too many|blocked|locked|suspended|expired|exceeded|unavailable|retry limit)\b`)

// hints returns the possible causes of a failed login, the most likely cause first.
// It leaves out advice that contradicts the server's own words.
func hints(login *sasl.LoginError, failure *sasl.Failure) (list []string) {
	for _, hint := range login.Hints {
		if hint == sasl.HintPassword && failure != nil && ownReason.MatchString(failure.Text) {
			list = append(list, "the server gives its own reason, which is perhaps not the password")
			continue
		}
		list = append(list, hintAdvice[hint])
	}
	return list
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
		lines = append(lines, fmt.Sprintf("not used: %s: %s", sasl.Printable(p.Mechanism), sasl.Printable(flagNames.Replace(p.Reason.Error()))))
	}
	return lines
}
