package sasl_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// TestPrintable: what a terminal would obey is dropped, and what is too long is
// cut, never within a character.
func TestPrintable(t *testing.T) {
	long := strings.Repeat("x", 512)
	for text, want := range map[string]string{
		"":                          "",
		"plain text":                "plain text",
		"Gr\u00fc\u00dfe":           "Gr\u00fc\u00dfe",
		"a\x1b[31mb":                "a[31mb",
		"a\r\nb\tc\x00d\x7f":        "abcd",
		"a\u009bb\u202ec\u200bd":    "abcd",
		"a\xffb\xc3":                "ab",
		"a\u2028b\u00a0c":           "abc",
		"\ue000\ufeff":              "",
		long:                        long,
		long + "y":                  long + "…",
		long[:511] + "\u00fc":       long[:511] + "…",
		long[:511] + "\u00fc" + "y": long[:511] + "…",
	} {
		if got := sasl.Printable(text); got != want {
			t.Errorf("%.20q: %q, want %q", text, got, want)
		}
	}
}

// TestFailureShows: the text and the classes of a refusal, with and without what a
// Client fills in.
func TestFailureShows(t *testing.T) {
	own := errors.New("535 5.7.8")
	for _, row := range []struct {
		failure sasl.Failure
		text    string
		class   sasl.Class
		wraps   int
	}{
		{sasl.Failure{}, "authentication error: refused", sasl.ErrAuthentication, 1},
		{sasl.Failure{Condition: sasl.AccountDisabled}, "authorization error: refused with account-disabled", sasl.ErrAuthorization, 1},
		{sasl.Failure{Class: sasl.ErrSecurity, Condition: sasl.AccountDisabled}, "security error: refused with account-disabled", sasl.ErrSecurity, 1},
		{sasl.Failure{Text: "Go\x1b[31m away\r\n"}, "authentication error: refused: Go[31m away", sasl.ErrAuthentication, 1},
		{sasl.Failure{Condition: "str\x00ange", Text: "x"}, "authentication error: refused with strange: x", sasl.ErrAuthentication, 1},
		{sasl.Failure{Condition: sasl.TemporaryAuthFailure, Err: own}, "temporary error: refused with temporary-auth-failure", sasl.ErrTemporary, 2},
	} {
		err := error(&row.failure)
		if err.Error() != row.text || sasl.ClassOf(err) != row.class || len(row.failure.Unwrap()) != row.wraps {
			t.Errorf("%q of class %s, wraps %v, want %q", err, sasl.ClassOf(err), row.failure.Unwrap(), row.text)
		}
		if errors.Is(err, own) != (row.wraps == 2) {
			t.Errorf("%q wraps the protocol's own: %t", err, row.wraps != 2)
		}
	}
	if class := sasl.ClassOf(nil); class != "" {
		t.Errorf("no error has the class %q", class)
	}
}

// TestClassesOfConditions is the table of RFC 6120 s6.5 and the classes.
func TestClassesOfConditions(t *testing.T) {
	for condition, class := range map[sasl.Condition]sasl.Class{
		sasl.Aborted: sasl.ErrProtocol, sasl.IncorrectEncoding: sasl.ErrProtocol, sasl.MalformedRequest: sasl.ErrProtocol,
		sasl.AccountDisabled: sasl.ErrAuthorization, sasl.InvalidAuthzid: sasl.ErrAuthorization,
		sasl.EncryptionRequired: sasl.ErrPolicy, sasl.InvalidMechanism: sasl.ErrPolicy, sasl.MechanismTooWeak: sasl.ErrPolicy,
		sasl.TemporaryAuthFailure: sasl.ErrTemporary,
		sasl.CredentialsExpired:   sasl.ErrAuthentication, sasl.NotAuthorized: sasl.ErrAuthentication, "": sasl.ErrAuthentication, "strange": sasl.ErrAuthentication,
	} {
		if got := sasl.ClassOf(&sasl.Failure{Condition: condition}); got != class {
			t.Errorf("%s: %s, want %s", condition, got, class)
		}
	}
}

// TestControlCharacters has a server put them into each text that a person sees.
func TestControlCharacters(t *testing.T) {
	const evil = "\x1b]0;owned\x07\u202e"
	var seen strings.Builder
	srv := sasl.ServerInfo{Secure: true, Mechanisms: []string{"PLAIN", "X" + evil}, AdvertisedBindings: []string{evil}}
	client := plainClient("secret")
	client.Trace = func(e sasl.Event) { fmt.Fprintln(&seen, e.Text) }
	_, err := client.Drive(t.Context(), io.NopCloser(nil), srv, func(s *sasl.Session) error {
		s.Start()
		return &sasl.Failure{Condition: sasl.Condition("bad" + evil), Text: "no " + evil}
	})
	fmt.Fprintln(&seen, err)
	var login *sasl.LoginError
	if !errors.As(err, &login) || len(login.PassedOver) != 1 {
		t.Fatalf("%+v", login)
	}
	fmt.Fprintln(&seen, login.PassedOver[0].Mechanism)
	scram := rfc7677Client("pencil")
	scram.Trace = client.Trace
	_, err = scram.Authenticate(t.Context(), &answering{challenge: []byte("e=" + evil)}, scramServer)
	fmt.Fprintln(&seen, err)
	srv.Bindings, srv.Mechanisms = []sasl.ChannelBinding{exporter}, []string{"SCRAM-SHA-256-PLUS", evil}
	scram.Mechanisms = ladder()
	_, err = scram.Begin(t.Context(), srv)
	fmt.Fprintln(&seen, err)
	srv.AdvertisedBindings, srv.Mechanisms = nil, []string{evil}
	_, err = scram.Begin(t.Context(), srv)
	fmt.Fprintln(&seen, err)
	server := sasl.Server{}
	_, err = server.Begin(t.Context(), sasl.ConnInfo{}, evil)
	fmt.Fprintln(&seen, err)
	if strings.ContainsAny(seen.String(), "\x1b\x07\u202e") || strings.Count(seen.String(), "]0;owned") < 9 {
		t.Errorf("%d of %q", strings.Count(seen.String(), "]0;owned"), seen.String())
	}
}
