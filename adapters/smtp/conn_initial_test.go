package saslsmtp_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net"
	netsmtp "net/smtp"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	"github.com/saslkit/saslkit/adapters/smtp/internal/smtptest"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// authValue is the third way of a login, which has no Result.
func authValue(t *testing.T, conn net.Conn, auth *sasl.Client) error {
	client, err := netsmtp.NewClient(conn, smtptest.Host)
	if err != nil {
		t.Fatal(err)
	}
	return client.Auth(saslsmtp.Auth(t.Context(), smtptest.Host, auth))
}

// allWays are the two kinds of clients and the value for one of them.
func allWays() map[string]func(*testing.T, net.Conn, *sasl.Client) error {
	ways := map[string]func(*testing.T, net.Conn, *sasl.Client) error{"value": authValue}
	for name, authenticate := range authenticators {
		ways[name] = func(t *testing.T, conn net.Conn, auth *sasl.Client) error {
			_, err := authenticate(t, conn, auth)
			return err
		}
	}
	return ways
}

// givesUp is the end of an exchange that the client does not continue, as a server
// sees it. Anything that go-smtp's client sends is one message too many, and would
// succeed.
var givesUp = map[string][]string{
	"go-smtp":  {"~", "235 yes"},
	"net/smtp": {"<*", "501 cancelled"},
	"value":    {"<*", "501 cancelled", "<QUIT", "221 bye"},
}

// TestAskedForAgain: a server that asks with an empty challenge for a message that
// it was sent gets it once more if it was on the line, and never a third time.
func TestAskedForAgain(t *testing.T) {
	long := strings.Repeat("p", 372) // with the rest of the line, 513 octets
	longMessage := base64.StdEncoding.EncodeToString([]byte("\x00u\x00" + long))
	longPlain := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("u", long))}, Allow: plain.Allow}
	external := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.External("")}, Allow: plain.Allow}
	const inline, message = "<AUTH PLAIN " + plainMessage, "<" + plainMessage
	for name, row := range map[string]struct {
		auth   *sasl.Client
		lines  []string
		class  sasl.Class // "" = success
		except string     // the way for which the row says nothing
	}{
		"once":                  {plain, []string{inline, "334 ", message, "235 yes"}, "", ""},
		"twice":                 {plain, []string{inline, "334 ", message, "334 "}, sasl.ErrProtocol, ""},
		"another challenge":     {plain, []string{inline, "334 YWJj"}, sasl.ErrProtocol, ""},
		"another, then":         {plain, []string{inline, "334 ", message, "334 YWJj"}, sasl.ErrProtocol, ""},
		"long":                  {longPlain, []string{"<AUTH PLAIN", "334 ", "<" + longMessage, "235 yes"}, "", ""},
		"long, twice":           {longPlain, []string{"<AUTH PLAIN", "334 ", "<" + longMessage, "334 "}, sasl.ErrProtocol, ""},
		"empty":                 {external, []string{"<AUTH EXTERNAL =", "334 ", "<", "235 yes"}, "", "value"},
		"empty, twice":          {external, []string{"<AUTH EXTERNAL =", "334 ", "<", "334 "}, sasl.ErrProtocol, "value"},
		"dropped by net/smtp":   {external, []string{"<AUTH EXTERNAL", "334 ", "<", "334 "}, sasl.ErrProtocol, "others"},
		"success at once":       {external, []string{"<AUTH EXTERNAL", "235 yes"}, sasl.ErrSecurity, "others"},
		"found too long":        {plain, []string{inline, "500 5.5.6 too long", "<AUTH PLAIN", "334 ", message, "235 yes"}, "", "value"},
		"found too long, twice": {plain, []string{inline, "500 5.5.6 too long", "<AUTH PLAIN", "334 ", message, "334 "}, sasl.ErrProtocol, "value"},
	} {
		for way, authenticate := range allWays() {
			if row.except == way || row.except == "others" && way != "value" {
				continue
			}
			lines := append([]string{"220 hi", "<EHLO localhost", "250-mail.example.org\r\n250 AUTH PLAIN EXTERNAL"}, row.lines...)
			if row.class != "" {
				lines = append(lines, givesUp[way]...)
			}
			conn := sasltest.Scripted(t, lines...)
			err := authenticate(t, conn, row.auth)
			if sasl.ClassOf(err) != row.class || (err == nil) != (row.class == "") {
				t.Errorf("%s, %s: %v, want class %q", name, way, err, row.class)
			}
		}
	}
}

// TestAskedForAgainThenTooLong: a message that went out twice does not go out a
// third time, even if the server says that it was too long for it.
func TestAskedForAgainThenTooLong(t *testing.T) {
	for name, authenticate := range authenticators {
		result, err := authenticate(t, sasltest.Scripted(t, "220 hi", "<EHLO localhost", "250-mail.example.org\r\n250 AUTH PLAIN",
			"<AUTH PLAIN "+plainMessage, "334 ", "<"+plainMessage, "500 5.5.6 too long", "~", "235 yes"), plain)
		var reply *saslsmtp.Reply
		if !errors.Is(err, sasl.ErrProtocol) || !errors.As(err, &reply) || reply.Code != 500 {
			t.Errorf("%s: %v", name, err)
		}
		if want := (sasl.Result{Mechanism: "PLAIN", Username: "tim", RoundTrips: 2}); result != want {
			t.Errorf("%s: %+v, want %+v", name, result, want)
		}
	}
}

// TestAskedForAgainBetweenAttempts: each attempt of Retry has its own message to
// repeat.
func TestAskedForAgainBetweenAttempts(t *testing.T) {
	for name, authenticate := range authenticators {
		first := *plain
		first.Retry = func(context.Context, error) *sasl.Client { return plain }
		result, err := authenticate(t, sasltest.Scripted(t, "220 hi", "<EHLO localhost", "250-mail.example.org\r\n250 AUTH PLAIN",
			"<AUTH PLAIN "+plainMessage, "334 ", "<"+plainMessage, "535 5.7.8 no",
			"<AUTH PLAIN "+plainMessage, "334 ", "<"+plainMessage, "235 yes"), &first)
		if want := (sasl.Result{Mechanism: "PLAIN", Username: "tim", RoundTrips: 2}); err != nil || result != want {
			t.Errorf("%s: %+v, %v, want %+v", name, result, err, want)
		}
	}
}

// TestEnforcesBinding: the caller's assertion is in the ServerInfo, and nothing
// else is.
func TestEnforcesBinding(t *testing.T) {
	for _, asserted := range []bool{true, false} {
		existing := saslsmtp.Existing{Host: smtptest.Host, EnforcesBinding: asserted}
		for name, authenticate := range map[string]func(net.Conn, *sasl.Client) error{
			"go-smtp": func(conn net.Conn, auth *sasl.Client) error {
				_, err := saslsmtp.Authenticate(t.Context(), smtp.NewClient(conn), auth, existing)
				return err
			},
			"net/smtp": func(conn net.Conn, auth *sasl.Client) error {
				client, err := netsmtp.NewClient(conn, smtptest.Host)
				if err != nil {
					return err
				}
				_, err = saslsmtp.AuthenticateNet(t.Context(), client, auth, existing)
				return err
			},
		} {
			var seen []sasl.ServerInfo
			auth := &sasl.Client{Mechanisms: plain.Mechanisms, Allow: func(c sasl.Candidate) error {
				seen = append(seen, c.Server)
				return errors.New("only asked")
			}}
			conn := sasltest.Scripted(t, "220 hi", "<EHLO localhost", "250-mail.example.org\r\n250 AUTH PLAIN")
			if err := authenticate(conn, auth); !errors.Is(err, sasl.ErrPolicy) {
				t.Errorf("%s, %t: %v", name, asserted, err)
			}
			if len(seen) != 1 || seen[0].EnforcesBinding != asserted || seen[0].Secure || !slices.Equal(seen[0].Mechanisms, []string{"PLAIN"}) {
				t.Errorf("%s, %t: %+v", name, asserted, seen)
			}
		}
	}
}

// TestOtherPasswordWanted: on a connection that is Secure, 534 after PLAIN is
// about the password, not about the mechanism.
func TestOtherPasswordWanted(t *testing.T) {
	conn := sasltest.Scripted(t, "220 hi", "<EHLO localhost", "250-mail.example.org\r\n250 AUTH PLAIN",
		"<AUTH PLAIN "+plainMessage, "534 5.7.9 Application-specific password required")
	_, err := saslsmtp.Authenticate(t.Context(), smtp.NewClient(conn), plain, saslsmtp.Existing{Host: smtptest.Host, Secure: true})
	var login *sasl.LoginError
	if sasl.ClassOf(err) != sasl.ErrAuthentication || !errors.As(err, &login) || !slices.Equal(login.Hints, []sasl.Hint{sasl.HintOtherCredentials}) || !login.ByServer {
		t.Errorf("%v, %+v", err, login)
	}
}
