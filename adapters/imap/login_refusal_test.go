package saslimap

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"

	sasl "github.com/saslkit/saslkit/core"
)

// TestLoginCommandRefused: what the server says, and whether the connection is in
// sync.
func TestLoginCommandRefused(t *testing.T) {
	const quoted = `<A1 LOGIN "tim" "tanstaaf"`
	for name, row := range map[string]struct {
		password string
		lines    []string
		class    sasl.Class
		code     imap.ResponseCode
		inSync   bool
	}{
		"wrong password":          {"tanstaaf", []string{quoted, "A1 NO [AUTHENTICATIONFAILED] no"}, sasl.ErrAuthentication, "AUTHENTICATIONFAILED", true},
		"no code":                 {"tanstaaf", []string{quoted, "A1 NO no"}, sasl.ErrAuthentication, "", true},
		"unavailable":             {"tanstaaf", []string{quoted, "A1 NO [UNAVAILABLE] later"}, sasl.ErrTemporary, "UNAVAILABLE", true},
		"privacy":                 {"tanstaaf", []string{quoted, "A1 NO [PRIVACYREQUIRED] TLS"}, sasl.ErrPolicy, "PRIVACYREQUIRED", true},
		"BAD":                     {"tanstaaf", []string{quoted, "A1 BAD what"}, sasl.ErrProtocol, "", true},
		"asked for more":          {"tanstaaf", []string{quoted, "+ go on"}, sasl.ErrProtocol, "", false},
		"BYE":                     {"tanstaaf", []string{quoted, "* BYE enough"}, sasl.ErrConnection, "", false},
		"cut":                     {"tanstaaf", []string{quoted, "!"}, sasl.ErrConnection, "", false},
		"another tag":             {"tanstaaf", []string{quoted, "A2 OK hi"}, sasl.ErrProtocol, "", false},
		"the literal":             {"tänstaaf", []string{`<A1 LOGIN "tim" {9}`, "A1 NO [LIMIT] too long"}, sasl.ErrTemporary, "LIMIT", true},
		"the literal, BAD":        {"tänstaaf", []string{`<A1 LOGIN "tim" {9}`, "A1 BAD no literals"}, sasl.ErrProtocol, "", true},
		"success without literal": {"tänstaaf", []string{`<A1 LOGIN "tim" {9}`, "A1 OK hi"}, sasl.ErrSecurity, "", false},
		"more after the literal":  {"tänstaaf", []string{`<A1 LOGIN "tim" {9}`, "+ ", "<tänstaaf", "+ "}, sasl.ErrProtocol, "", false},
	} {
		lines := append([]string{listsNothing}, row.lines...)
		if row.inSync {
			lines = append(lines, `<A2 LOGIN "tim" "again"`, "A2 OK hi")
		}
		c := loginConn(t, lines...)
		_, err := c.Authenticate(soon(t), loginClient("tim", row.password))
		var own *imap.Error
		if sasl.ClassOf(err) != row.class || errors.As(err, &own) && own.Code != row.code || own == nil && row.code != "" {
			t.Errorf("%s: %v, %v", name, err, own)
		}
		if c.closed.Load() == row.inSync {
			t.Errorf("%s: closed: %t", name, c.closed.Load())
		}
		if !row.inSync {
			continue
		}
		if _, err := c.Authenticate(soon(t), loginClient("tim", "again")); err != nil {
			t.Errorf("%s, again: %v", name, err)
		}
	}
}

// TestLoginCommandEcho: a server that repeats the command, in either form of its
// strings, shows no password in the error, the alerts or the trace.
func TestLoginCommandEcho(t *testing.T) {
	for name, row := range map[string]struct{ password, sent, echo string }{
		"quoted":       {"tanstaaf", `A1 LOGIN "tim" "tanstaaf"`, `A1 LOGIN "tim" "tanstaaf"`},
		"with escapes": {`t"a"n"s"t`, `A1 LOGIN "tim" "t\"a\"n\"s\"t"`, `"t\"a\"n\"s\"t"`},
		"unescaped":    {`t"a"n"s"t`, `A1 LOGIN "tim" "t\"a\"n\"s\"t"`, `t"a"n"s"t`},
		"base64":       {"tanstaaf", `A1 LOGIN "tim" "tanstaaf"`, "dGFuc3RhYWY="},
	} {
		var trace strings.Builder
		client := loginClient("tim", row.password)
		client.Trace = func(e sasl.Event) { fmt.Fprintln(&trace, e) }
		c := loginConn(t, listsNothing, "<"+row.sent, "* OK [ALERT] 1 "+row.echo, "A1 BAD 2 "+row.echo)
		_, err := c.Authenticate(soon(t), client)
		shown := fmt.Sprint(err, c.Alerts(), trace.String())
		if !strings.Contains(shown, "withheld") || strings.Contains(shown, row.echo) {
			t.Errorf("%s: %s", name, shown)
		}
	}
}
