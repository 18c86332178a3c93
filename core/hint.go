package sasl

// Hint is what may be behind a failed login. A Client reports a hint only if it
// can be true; the most likely one comes first.
type Hint string

const (
	// HintPassword: the username or the password may be wrong.
	HintPassword Hint = "password"
	// HintPreparation: SASLprep (RFC 4013) changed or refused the password. Some
	// servers store it as it was typed.
	HintPreparation Hint = "preparation"
	// HintOtherCredentials: the server wants credentials of another kind, such
	// as a password for this application alone.
	HintOtherCredentials Hint = "other-credentials"
	// HintBinding: the channel binding may be the cause. Somebody in between
	// looks like this, and so does a server that does not know the type.
	HintBinding Hint = "binding"
	// HintProxy: a proxy that hides the mechanisms with -PLUS looks like this, and
	// so does somebody in between who hides them.
	HintProxy Hint = "proxy"
	// HintList: a list of the server may have been truncated on the way.
	HintList Hint = "list"
)

// Text returns the hint as a sentence for Go programmers: it names the fields
// of this package that change the matter. It is "" for an unknown hint.
func (h Hint) Text() string {
	switch h {
	case HintPassword:
		return "the username or the password may be wrong"
	case HintPreparation:
		return "SASLprep changed or refused the password; set SCRAMOptions.RawPassword to use the password as it is"
	case HintOtherCredentials:
		return "the server wants other credentials, for example a password for this application"
	case HintBinding:
		return "the channel binding may be the cause, or somebody in between; set BindingTypes or DisableBinding if this server is known"
	case HintProxy:
		return "a proxy may hide the mechanisms that bind; set DisableBinding if this proxy is known"
	case HintList:
		return "the list may have been truncated; set BindingTypes or DisableBinding if this server is known"
	}
	return ""
}

// PassedOver is a mechanism that the server offers and that a Client did not
// use, with the reason.
type PassedOver struct {
	Mechanism string // the name, printable
	Reason    error
}

// LoginError is the error of a login with what is known about it besides its
// cause. Its text is that of Err. Get it with errors.As.
type LoginError struct {
	// Err is what happened; it has the Class.
	Err error
	// Hints are what may be behind it, the most likely one first.
	Hints []Hint
	// NotTried are the mechanisms that the server offers and that could still be
	// used, most preferred first. A Client does not try them by itself.
	NotTried []string
	// PassedOver are the mechanisms that the server offers and that cannot be
	// used: those of the Client first, most preferred first, then the others in
	// the server's order.
	PassedOver []PassedOver
	// ByServer reports that the server refused; false = this Client decided.
	ByServer bool
}

// Error returns the text of Err.
func (e *LoginError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *LoginError) Unwrap() error { return e.Err }
