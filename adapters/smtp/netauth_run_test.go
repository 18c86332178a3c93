package saslsmtp_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	netsmtp "net/smtp"
	"net/textproto"
	"strconv"
	"strings"
	"testing"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	"github.com/saslkit/saslkit/adapters/smtp/internal/smtptest"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestAuthValueSecure: a password goes out only if the library reports TLS and has
// the host's name for the server. A STARTTLS that somebody removed leaves the name
// and takes the TLS. The error says which of the two it is.
func TestAuthValueSecure(t *testing.T) {
	const refused = "the server is not verified or the connection not confidential: "
	for name, row := range map[string]struct {
		server netsmtp.ServerInfo
		host   string
		reason string // "" = the password goes out
	}{
		"TLS":           {netsmtp.ServerInfo{Name: "mail.example.org", TLS: true}, "mail.example.org", ""},
		"no TLS":        {netsmtp.ServerInfo{Name: "mail.example.org"}, "mail.example.org", refused + "the connection has no TLS"},
		"another name":  {netsmtp.ServerInfo{Name: "mail.example.org", TLS: true}, "other.example.org", refused + `the library knows the server as "mail.example.org", and not as "other.example.org"; give the same name to both`},
		"no name":       {netsmtp.ServerInfo{TLS: true}, "", refused + "the library has no name for the server"},
		"no TLS either": {netsmtp.ServerInfo{Name: "localhost"}, "localhost", refused + "the connection has no TLS"},
	} {
		server := row.server
		server.Auth = []string{"PLAIN"}
		auth := &sasl.Client{Mechanisms: plain.Mechanisms}
		mechanism, initial, err := saslsmtp.Auth(t.Context(), row.host, auth).Start(&server)
		switch {
		case row.reason == "":
			if err != nil || mechanism != "PLAIN" || string(initial) != "\x00tim\x00tanstaaftanstaaf" {
				t.Errorf("%s: %s %q, %v", name, mechanism, initial, err)
			}
		case sasl.ClassOf(err) != sasl.ErrPolicy || !strings.Contains(err.Error(), row.reason) || initial != nil:
			t.Errorf("%s: %q, %v, want %s", name, initial, err, row.reason)
		}
	}
}

// TestAuthValueOrder: Next without a Start that succeeded is an error, and does not
// answer for the run before.
func TestAuthValueOrder(t *testing.T) {
	good := &netsmtp.ServerInfo{Name: smtptest.Host, TLS: true, Auth: []string{"PLAIN"}}
	bad := &netsmtp.ServerInfo{Name: smtptest.Host, Auth: []string{"PLAIN"}}
	auth := &sasl.Client{Mechanisms: plain.Mechanisms}
	for name, prepare := range map[string]func(*saslsmtp.NetAuth){
		"no Start":         func(*saslsmtp.NetAuth) {},
		"a Start too late": func(a *saslsmtp.NetAuth) { a.Start(bad) },
		"a second Start": func(a *saslsmtp.NetAuth) {
			a.Start(good)
			a.Next(nil, false)
			a.Start(bad)
		},
		"a second Start in the run": func(a *saslsmtp.NetAuth) {
			a.Start(good)
			a.Start(bad)
		},
	} {
		for _, more := range []bool{true, false} {
			value := saslsmtp.Auth(t.Context(), smtptest.Host, auth)
			prepare(value)
			if response, err := value.Next(nil, more); sasl.ClassOf(err) != sasl.ErrConfig || response != nil {
				t.Errorf("%s, %t: %q, %v", name, more, response, err)
			}
		}
	}
	value := saslsmtp.Auth(t.Context(), smtptest.Host, auth)
	value.Start(good)
	if _, err := value.Next(nil, false); err != nil {
		t.Error(err)
	}
	if _, err := value.Next(nil, false); sasl.ClassOf(err) != sasl.ErrProtocol {
		t.Errorf("success twice: %v", err)
	}
	if _, _, err := saslsmtp.Auth(t.Context(), smtptest.Host, nil).Start(good); sasl.ClassOf(err) != sasl.ErrConfig {
		t.Errorf("no Client: %v", err)
	}
}

// TestAuthValueScreen: net/smtp hands the text of a refusal to its caller without
// asking the Auth. Screen withholds it if it repeats the password, and keeps the
// code.
func TestAuthValueScreen(t *testing.T) {
	const password = "tanstaaftanstaaf"
	coded := base64.StdEncoding.EncodeToString([]byte("\x00tim\x00" + password))
	for name, row := range map[string]struct{ answer, want string }{
		"no echo": {"535 5.7.8 wrong", "5.7.8 wrong"},
		"decoded": {"535 5.7.8 not " + password, "the server's text is withheld, because it repeats a secret"},
		"line":    {"535 5.7.8 cannot take AUTH PLAIN " + coded, "the server's text is withheld, because it repeats a secret"},
		"folded":  {"535-5.7.8 " + coded[:12] + "\r\n535 5.7.8 " + coded[12:], "the server's text is withheld, because it repeats a secret"},
		"bell":    {"535 5.7.8 tans\ataaftans\ataaf", "the server's text is withheld, because it repeats a secret"},
		"421":     {"421 4.7.0 bye " + password, "the server's text is withheld, because it repeats a secret"},
	} {
		client, err := netsmtp.NewClient(sasltest.Scripted(t, "220 hi", "<EHLO localhost", "250-hi\r\n250 AUTH PLAIN",
			"<AUTH PLAIN "+plainMessage, row.answer, "<*", "501 what", "<QUIT", "221 bye"), smtptest.Host)
		if err != nil {
			t.Fatal(err)
		}
		value := saslsmtp.Auth(t.Context(), smtptest.Host, plain)
		err = value.Screen(client.Auth(value))
		var refused *textproto.Error
		if !errors.As(err, &refused) || refused.Msg != row.want || strconv.Itoa(refused.Code) != row.answer[:3] {
			t.Errorf("%s: %v, want %s", name, err, row.want)
		}
		client.Close()
	}

	value := saslsmtp.Auth(t.Context(), smtptest.Host, plain)
	before := fmt.Errorf("%w: %s", sasl.ErrConnection, password)
	if err := value.Screen(before); err != before {
		t.Errorf("before a run: %v", err)
	}
	value.Start(&netsmtp.ServerInfo{Name: smtptest.Host, Auth: []string{"PLAIN"}})
	if err := value.Screen(nil); err != nil {
		t.Error(err)
	}
	if err := value.Screen(before); err.Error() != "connection error: the server's text is withheld, because it repeats a secret" || errors.Is(err, before) {
		t.Error(err)
	}
	other := errors.New("no route to the host")
	if err := value.Screen(other); err != other {
		t.Error(err)
	}
	// The text of an error need not contain the reply that it wraps.
	var hidden *textproto.Error
	if err := value.Screen(quiet{&textproto.Error{Code: 535, Msg: password}}); !errors.As(err, &hidden) || hidden.Msg != "the server's text is withheld, because it repeats a secret" {
		t.Error(err)
	}
	if err := value.Screen(errors.New(password)); err.Error() != "the server's text is withheld, because it repeats a secret" {
		t.Error(err)
	}
	// A run that does not begin leaves the secrets of the one before.
	value.Client = &sasl.Client{Mechanisms: plain.Mechanisms}
	value.Start(&netsmtp.ServerInfo{Name: smtptest.Host, Auth: []string{"PLAIN"}})
	if err := value.Screen(errors.New(password)); err.Error() != "the server's text is withheld, because it repeats a secret" {
		t.Error(err)
	}
}

// quiet is an error that does not show what it wraps.
type quiet struct{ error }

func (quiet) Error() string   { return "sending failed" }
func (q quiet) Unwrap() error { return q.error }
