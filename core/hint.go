package sasl

// Hint is a possible cause of a failed login. A Client reports a hint only if the
// hint can be true. The most likely hint comes first.
type Hint string

const (
	// HintPassword: the username or the password may be wrong.
	HintPassword Hint = "password"
	// HintPreparation: SASLprep (RFC 4013) changed or refused the password. Some
	// servers store the password as the user typed it.
	HintPreparation Hint = "preparation"
	// HintOtherCredentials: the server wants credentials of another kind, such
	// as a password for this application alone.
	HintOtherCredentials Hint = "other-credentials"
	// HintToken: the token may have expired or have been revoked, or the token is
	// for another user, service or scope.
	HintToken Hint = "token"
	// HintServiceKey: the server may have another key or another name than the
	// ticket of Kerberos is for.
	HintServiceKey Hint = "service-key"
	// HintClock: the clocks of the client and the server may differ too much.
	HintClock Hint = "clock"
	// HintBinding: the channel binding may be the cause. An attacker between client
	// and server has this effect. A server that does not know the binding type has
	// the same effect.
	HintBinding Hint = "binding"
	// HintProxy: a proxy that hides the -PLUS mechanisms may be the cause. An
	// attacker who hides these mechanisms has the same effect.
	HintProxy Hint = "proxy"
	// HintLayer: the server may demand a security layer or refuse one.
	HintLayer Hint = "layer"
	// HintList: a list of the server may have been truncated on the way.
	HintList Hint = "list"
)

// Text returns the hint as a sentence for Go programmers. The sentence names the
// field of this package that removes the cause. For an unknown hint, Text returns
// "".
func (h Hint) Text() string {
	switch h {
	case HintPassword:
		return "the username or the password may be wrong"
	case HintPreparation:
		return "SASLprep changed or refused the password; set SCRAMOptions.RawPassword to use the password as it is"
	case HintOtherCredentials:
		return "the server wants other credentials, for example a password for this application"
	case HintToken:
		return "the token may have expired, or may be for another user, service or scope; get a new one"
	case HintServiceKey:
		return "the ticket may be for another key or name than the server's; check ServicePrincipal and the server's keytab"
	case HintClock:
		return "the clocks of client and server may differ; set both"
	case HintBinding:
		return "the channel binding may be the cause, or somebody in between; set BindingTypes or DisableBinding if this server is known"
	case HintProxy:
		return "a proxy may hide the mechanisms that bind; set DisableBinding if this proxy is known"
	case HintLayer:
		return "the server may demand a security layer, or refuse one under TLS; set ServerInfo.Layer, in saslldap Options.Layer"
	case HintList:
		return "the list may have been truncated; set BindingTypes or DisableBinding if this server is known"
	}
	return ""
}

// PassedOver is a mechanism that the server offers and that the Client did not
// use, together with the reason.
type PassedOver struct {
	Mechanism string // the name, printable
	Reason    error  // why it was not used
}

// LoginError is the error of a login with further facts about the failure. Its
// text is the text of Err. Use errors.As to get a LoginError.
type LoginError struct {
	// Err is the failure itself, with its Class.
	Err error
	// Hints are the possible causes of the failure, the most likely cause first.
	Hints []Hint
	// NotTried are the mechanisms that the server offers and that the Client could
	// still use, most preferred first. A Client does not try these mechanisms by
	// itself.
	NotTried []string
	// PassedOver are the mechanisms that the server offers and that the Client
	// cannot use: first the mechanisms of the Client, most preferred first, then
	// the other mechanisms in the server's order.
	PassedOver []PassedOver
	// ByServer reports that the server refused; false = the Client decided.
	ByServer bool
}

// Error returns the text of Err.
func (e *LoginError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *LoginError) Unwrap() error { return e.Err }
