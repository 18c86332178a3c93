package saslimap

import (
	"errors"
	"slices"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// refusals are texts behind a NO.
var refusals = map[string]struct {
	condition sasl.Condition
	class     sasl.Class
}{
	"AUTHENTICATE mechanism not supported, mate":                        {sasl.InvalidMechanism, sasl.ErrPolicy},
	"[ALERT] Unsupported authentication mechanism.":                     {sasl.InvalidMechanism, sasl.ErrPolicy},
	"Mechanism is disabled":                                             {sasl.InvalidMechanism, sasl.ErrPolicy},
	"Unknown SASL mechanism":                                            {sasl.InvalidMechanism, sasl.ErrPolicy},
	"no mechanism available":                                            {sasl.InvalidMechanism, sasl.ErrPolicy},
	"bad protocol / cancel":                                             {sasl.MalformedRequest, sasl.ErrProtocol},
	"Bad protocol / cancel ":                                            {sasl.MalformedRequest, sasl.ErrProtocol},
	"SASL(-5): bad protocol / cancel: cannot parse":                     {sasl.MalformedRequest, sasl.ErrProtocol},
	"authorization failure":                                             {sasl.InvalidAuthzid, sasl.ErrAuthorization},
	"passphrase expired, has to be reset":                               {sasl.CredentialsExpired, sasl.ErrAuthentication},
	"Your password has expired":                                         {sasl.CredentialsExpired, sasl.ErrAuthentication},
	"encryption needed to use mechanism":                                {sasl.EncryptionRequired, sasl.ErrPolicy},
	"remote authentication server unavailable":                          {sasl.TemporaryAuthFailure, sasl.ErrTemporary},
	"[AUTHENTICATIONFAILED] Too many bad auth attempts":                 {sasl.TemporaryAuthFailure, sasl.ErrTemporary},
	"Login failed, try again later":                                     {sasl.TemporaryAuthFailure, sasl.ErrTemporary},
	"Temporarily unavailable":                                           {sasl.TemporaryAuthFailure, sasl.ErrTemporary},
	"Account has been locked":                                           {sasl.AccountDisabled, sasl.ErrAuthorization},
	"[ALERT] Your account is not enabled for IMAP use.":                 {sasl.AccountDisabled, sasl.ErrAuthorization},
	"[ALERT] Please log in via your web browser: https://x.example":     {sasl.AccountDisabled, sasl.ErrAuthorization},
	"[ALERT] Application-specific password required: https://x.example": {sasl.MechanismTooWeak, sasl.ErrAuthentication},
	"[UNAVAILABLE] mechanism not supported":                             {sasl.TemporaryAuthFailure, sasl.ErrTemporary}, // a code is first
	"authentication failure":                                            {sasl.NotAuthorized, sasl.ErrAuthentication},
	"Authentication failed, please try again":                           {sasl.NotAuthorized, sasl.ErrAuthentication},
	"Invalid username or password, or account disabled":                 {sasl.NotAuthorized, sasl.ErrAuthentication},
	"Wrong credentials. Account locked after too many attempts":         {sasl.NotAuthorized, sasl.ErrAuthentication},
	"the user of mechanism PLAIN is unknown":                            {sasl.NotAuthorized, sasl.ErrAuthentication},
	"Anmeldung fehlgeschlagen":                                          {sasl.NotAuthorized, sasl.ErrAuthentication},
	"someone said bad protocol / cancel":                                {sasl.NotAuthorized, sasl.ErrAuthentication},
	"":                                                                  {sasl.NotAuthorized, sasl.ErrAuthentication},
	"[AUTHENTICATIONFAILED] Authentication failed.":                     {sasl.NotAuthorized, sasl.ErrAuthentication},
	"[AUTHENTICATIONFAILED] account disabled: tim":                      {sasl.AccountDisabled, sasl.ErrAuthorization},
}

// TestWordsOfRefusals: the class of a refusal without a code is that of the server's
// own words, if they clearly are about something else than the credentials.
func TestWordsOfRefusals(t *testing.T) {
	for text, want := range refusals {
		c, err := NewConn(t.Context(), prompt(t, listsSASLIR, "<A1 AUTHENTICATE PLAIN "+plainMessage, strings.TrimSuffix("A1 NO "+text, " ")), "", &Options{Secure: true})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Authenticate(t.Context(), plain)
		var refused *sasl.Failure
		if !errors.As(err, &refused) || refused.Condition != want.condition || sasl.ClassOf(err) != want.class {
			t.Errorf("%q: %v, want %s", text, err, want.condition)
		}
		var login *sasl.LoginError
		if errors.As(err, &login) && slices.Contains(login.Hints, sasl.HintPassword) != (want.condition == sasl.NotAuthorized) {
			t.Errorf("%q: hints %q", text, login.Hints)
		}
	}
}

// TestBadProtocolAfterAFlag: a server that cannot parse a message may not know the
// binding or the flag, so the words for that are an ErrSecurity after "p" and "y".
func TestBadProtocolAfterAFlag(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	for list, flag := range map[string]string{"AUTH=SCRAM-SHA-256": "y", "AUTH=SCRAM-SHA-256 AUTH=SCRAM-SHA-256-PLUS": "p"} {
		conn, err := DialTLS(t.Context(), host+":993", &Options{TLSConfig: server.client, Address: server.implicit})
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		script := newConn(prompt(t, "~", "A1 NO bad protocol / cancel"), host, nil)
		script.info = conn.info // a connection that can be bound
		script.setCapabilities("IMAP4rev1 SASL-IR " + list)
		_, err = script.Authenticate(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(credentials)})
		if sasl.ClassOf(err) != sasl.ErrSecurity || !strings.Contains(err.Error(), "bad protocol / cancel") {
			t.Errorf("%s: %v", flag, err)
		}
	}
}
