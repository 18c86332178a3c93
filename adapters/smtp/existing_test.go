package saslsmtp_test

import (
	"errors"
	"net"
	netsmtp "net/smtp"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	"github.com/saslkit/saslkit/adapters/smtp/internal/smtptest"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

var plain = &sasl.Client{
	Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("tim", "tanstaaftanstaaf"))},
	Allow:      func(sasl.Candidate) error { return nil },
}

// plainMessage is the base64 of RFC 4616's example.
const plainMessage = "AHRpbQB0YW5zdGFhZnRhbnN0YWFm"

// authenticators are the kinds of clients that exist already, over a connection on
// which nothing has been read.
var authenticators = map[string]func(t *testing.T, conn net.Conn, client *sasl.Client) (sasl.Result, error){
	"go-smtp": func(t *testing.T, conn net.Conn, client *sasl.Client) (sasl.Result, error) {
		return saslsmtp.Authenticate(t.Context(), smtp.NewClient(conn), client, saslsmtp.Existing{Host: smtptest.Host})
	},
	"net/smtp": func(t *testing.T, conn net.Conn, client *sasl.Client) (sasl.Result, error) {
		c, err := netsmtp.NewClient(conn, smtptest.Host)
		if err != nil {
			t.Fatal(err)
		}
		return saslsmtp.AuthenticateNet(t.Context(), c, client, saslsmtp.Existing{Host: smtptest.Host})
	},
}

// TestAuthKeyword: the keyword in any case, with "=" as old servers write it, and no
// other word that begins so.
func TestAuthKeyword(t *testing.T) {
	for line, want := range map[string][]string{
		"AUTH PLAIN SCRAM-SHA-256": {"PLAIN", "SCRAM-SHA-256"},
		"auth plain Login":         {"PLAIN", "LOGIN"},
		"AUTH=LOGIN PLAIN":         {"LOGIN", "PLAIN"},
		"AUTH  PLAIN  LOGIN ":      {"PLAIN", "LOGIN"},
		"AUTH PLAIN PLAIN":         {"PLAIN"},
		"AUTH":                     nil,
		"AUTHINFO PLAIN":           nil,
		"XAUTH PLAIN":              nil,
		"=PLAIN":                   nil,
		"SIZE 1000":                nil,
	} {
		if got := saslsmtp.AuthKeyword([]string{"mail.example.org", line}); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

// TestSpellings: a list that the library itself does not find. A client of go-smtp
// that has not said EHLO says it once; others say it once more, which not every
// server allows.
func TestSpellings(t *testing.T) {
	said := func(t *testing.T, conn net.Conn, client *sasl.Client) (sasl.Result, error) {
		c := smtp.NewClient(conn)
		if err := c.Hello("localhost"); err != nil {
			t.Fatal(err)
		}
		return saslsmtp.Authenticate(t.Context(), c, client, saslsmtp.Existing{Host: smtptest.Host})
	}
	for name, way := range map[string]struct {
		authenticate func(*testing.T, net.Conn, *sasl.Client) (sasl.Result, error)
		again        []string
	}{
		"go-smtp":             {authenticators["go-smtp"], nil},
		"go-smtp, after EHLO": {said, []string{"<RSET", "250 flushed", "<EHLO localhost"}},
		"net/smtp":            {authenticators["net/smtp"], []string{"<EHLO localhost"}},
	} {
		for keyword, row := range map[string]struct {
			again []string // the answer to the second EHLO; nil = the same as to the first
			class sasl.Class
			text  string
		}{
			"auth PLAIN":       {nil, "", ""},
			"AUTH=PLAIN":       {nil, "", ""},
			"auth=plain LOGIN": {nil, "", ""},
			"AUTH=":            {nil, sasl.ErrPolicy, "no mechanism"},
			"HELP":             {nil, sasl.ErrPolicy, "no mechanism"},
			"8BITMIME":         {[]string{"503 5.5.1 duplicate EHLO"}, sasl.ErrPolicy, "no mechanism"},
			"SIZE":             {[]string{"503-5.5.1 dup", "503 5.5.1 EHLO"}, sasl.ErrPolicy, "no mechanism"},
			"PIPELINING":       {[]string{"421 4.7.0 too many"}, sasl.ErrTemporary, "the server rejects the connection for now; try again later: 421 4.7.0 too many"},
			"DSN":              {[]string{"554 5.7.1 go away"}, sasl.ErrConnection, "the server rejects the connection: 554 5.7.1 go away"},
			"SMTPUTF8":         {[]string{"!"}, sasl.ErrConnection, "connection error: "},
		} {
			if row.again != nil && way.again == nil {
				row.class, row.text = sasl.ErrPolicy, "no mechanism" // it was not asked again
			}
			extensions := "250-AUTH PLAIN is my name\r\n250 " + keyword
			lines := append([]string{"220-AUTH PLAIN\r\n220 hi", "<EHLO localhost", extensions}, way.again...)
			if way.again != nil && row.again == nil {
				lines = append(lines, extensions)
			} else if way.again != nil {
				lines = append(lines, row.again...)
			}
			if row.class == "" {
				lines = append(lines, "<AUTH PLAIN "+plainMessage, "235 2.7.0 welcome")
			}
			conn := sasltest.Scripted(t, lines...)
			conn.SetDeadline(time.Now().Add(5 * time.Second))
			_, err := way.authenticate(t, conn, plain)
			if sasl.ClassOf(err) != row.class || (err == nil) != (row.class == "") || err != nil && !strings.Contains(err.Error(), row.text) {
				t.Fatalf("%s, %q: %v, want %s", name, keyword, err, row.text) // the next could wait as long
			}
		}
	}
}

// TestReplies: each reply has its class, and code, enhanced code and the
// library's own error are there.
func TestReplies(t *testing.T) {
	for _, row := range []struct {
		reply     string
		class     sasl.Class
		condition sasl.Condition
		code      int
		enhanced  [3]int
		text      string
	}{
		{"535 5.7.8 no", sasl.ErrAuthentication, sasl.NotAuthorized, 535, [3]int{5, 7, 8}, "no"},
		{"535-5.7.8 no\r\n535 5.7.8 never", sasl.ErrAuthentication, sasl.NotAuthorized, 535, [3]int{5, 7, 8}, "no never"},
		{"535-5.7.8 not \r\n535-\r\n535-5.7.8 accepted. \r\n535 5.7.8  https://support.example.org", sasl.ErrAuthentication, sasl.NotAuthorized, 535, [3]int{5, 7, 8}, "not accepted. https://support.example.org"},
		{"535 5.7.9 no", sasl.ErrPolicy, sasl.MechanismTooWeak, 535, [3]int{5, 7, 9}, "no"},
		{"535 5.7.10 no", sasl.ErrPolicy, sasl.EncryptionRequired, 535, [3]int{5, 7, 10}, "no"},
		{"550 5.7.11 no", sasl.ErrPolicy, sasl.EncryptionRequired, 550, [3]int{5, 7, 11}, "no"},
		{"535 5.7.12 no", sasl.ErrAuthentication, sasl.CredentialsExpired, 535, [3]int{5, 7, 12}, "no"},
		{"454 4.7.12 no", sasl.ErrAuthentication, sasl.CredentialsExpired, 454, [3]int{4, 7, 12}, "no"},
		{"535 5.7.13 no", sasl.ErrAuthorization, sasl.AccountDisabled, 535, [3]int{5, 7, 13}, "no"},
		{"535 5.7.139 no", sasl.ErrAuthentication, sasl.NotAuthorized, 535, [3]int{5, 7, 139}, "no"},
		{"535 5.7.139 x, SmtpClientAuthentication is disabled for the Tenant.", sasl.ErrAuthorization, sasl.AccountDisabled, 535, [3]int{5, 7, 139}, "x, SmtpClientAuthentication is disabled for the Tenant."},
		{"535 5.7.139 x, basic authentication is disabled.", sasl.ErrPolicy, sasl.MechanismTooWeak, 535, [3]int{5, 7, 139}, "x, basic authentication is disabled."},
		{"525 no", sasl.ErrAuthorization, sasl.AccountDisabled, 525, [3]int{}, "no"},
		{"535 no", sasl.ErrAuthentication, sasl.NotAuthorized, 535, [3]int{}, "no"},
		{"534 no", sasl.ErrPolicy, sasl.MechanismTooWeak, 534, [3]int{}, "no"},
		{"538 no", sasl.ErrPolicy, sasl.EncryptionRequired, 538, [3]int{}, "no"},
		{"523 no", sasl.ErrPolicy, sasl.EncryptionRequired, 523, [3]int{}, "no"},
		{"432 no", sasl.ErrAuthentication, sasl.CredentialsExpired, 432, [3]int{}, "no"},
		{"400 no", sasl.ErrTemporary, sasl.TemporaryAuthFailure, 400, [3]int{}, "no"},
		{"501 5.5.6 no", sasl.ErrProtocol, sasl.MalformedRequest, 501, [3]int{5, 5, 6}, "no"}, // not because of the length
		{"534 5.7.9 no", sasl.ErrPolicy, sasl.MechanismTooWeak, 534, [3]int{5, 7, 9}, "no"},
		{"538 5.7.11 no", sasl.ErrPolicy, sasl.EncryptionRequired, 538, [3]int{5, 7, 11}, "no"},
		{"530 5.7.0 no", sasl.ErrPolicy, sasl.EncryptionRequired, 530, [3]int{5, 7, 0}, "no"},
		{"523 5.7.10 no", sasl.ErrPolicy, sasl.EncryptionRequired, 523, [3]int{5, 7, 10}, "no"},
		{"504 5.5.4 no", sasl.ErrPolicy, sasl.InvalidMechanism, 504, [3]int{5, 5, 4}, "no"},
		{"502 5.5.1 no", sasl.ErrPolicy, sasl.InvalidMechanism, 502, [3]int{5, 5, 1}, "no"},
		{"525 5.7.13 Gone", sasl.ErrAuthorization, sasl.AccountDisabled, 525, [3]int{5, 7, 13}, "Gone"},
		{"432 4.7.12 no", sasl.ErrAuthentication, sasl.CredentialsExpired, 432, [3]int{4, 7, 12}, "no"},
		{"454 4.7.0 no", sasl.ErrTemporary, sasl.TemporaryAuthFailure, 454, [3]int{4, 7, 0}, "no"},
		{"501 5.5.2 no", sasl.ErrProtocol, sasl.MalformedRequest, 501, [3]int{5, 5, 2}, "no"},
		{"500 5.5.2 no", sasl.ErrProtocol, sasl.MalformedRequest, 500, [3]int{5, 5, 2}, "no"},
		{"503 5.5.1 no", sasl.ErrProtocol, sasl.MalformedRequest, 503, [3]int{5, 5, 1}, "no"},
		{"599 no", sasl.ErrAuthentication, sasl.NotAuthorized, 599, [3]int{}, "no"},
	} {
		for name, authenticate := range authenticators {
			lines := []string{"220 hi", "<EHLO localhost", "250-mail.example.org\r\n250 AUTH PLAIN", "<AUTH PLAIN " + plainMessage, row.reply}
			_, err := authenticate(t, sasltest.Scripted(t, lines...), plain)
			var (
				failure *sasl.Failure
				reply   *saslsmtp.Reply
				library *textproto.Error
				goSMTP  *smtp.SMTPError
			)
			if sasl.ClassOf(err) != row.class || !errors.As(err, &failure) || failure.Condition != row.condition || failure.Text != row.text {
				t.Errorf("%s, %s: %v (%+v)", name, row.reply, err, failure)
			}
			if !errors.As(err, &reply) || reply.Code != row.code || reply.Enhanced != row.enhanced {
				t.Errorf("%s, %s: %+v", name, row.reply, reply)
			}
			if !errors.As(err, &library) && !errors.As(err, &goSMTP) {
				t.Errorf("%s, %s: the library's error is lost in %v", name, row.reply, err)
			}
			if goSMTP != nil && goSMTP.EnhancedCode != row.enhanced {
				t.Errorf("%s, %s: %v", name, row.reply, goSMTP.EnhancedCode)
			}
		}
	}
}

// TestClosingReply: 421 is temporary, and the connection is of no more use.
func TestClosingReply(t *testing.T) {
	for name, authenticate := range authenticators {
		lines := []string{"220 hi", "<EHLO localhost", "250-mail.example.org\r\n250 AUTH PLAIN", "<AUTH PLAIN " + plainMessage, "421 4.3.2 closing"}
		conn := sasltest.Scripted(t, lines...)
		if _, err := authenticate(t, conn, plain); !errors.Is(err, sasl.ErrTemporary) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := conn.Write([]byte("x")); err == nil {
			t.Errorf("%s: the connection is open", name)
		}
	}
}

// TestGoSMTPBadBase64: the client is closed.
func TestGoSMTPBadBase64(t *testing.T) {
	conn := sasltest.Scripted(t, "220 hi", "<EHLO localhost", "250-mail.example.org\r\n250 AUTH PLAIN", "<AUTH PLAIN "+plainMessage, "334 not!base64")
	if _, err := authenticators["go-smtp"](t, conn, plain); !errors.Is(err, sasl.ErrProtocol) {
		t.Error(err)
	}
}

// TestConnectFails: nobody greets, or does not go on. A refusal that came before
// AUTH is not about a password.
func TestConnectFails(t *testing.T) {
	for name, row := range map[string]struct {
		lines []string
		class sasl.Class
		code  int
	}{
		"turned away":     {[]string{"554 5.7.1 go away"}, sasl.ErrConnection, 554},
		"busy":            {[]string{"421 4.3.2 later"}, sasl.ErrTemporary, 421},
		"another reply":   {[]string{"250 hi"}, sasl.ErrProtocol, 250},
		"no EHLO":         {[]string{"220 hi", "<EHLO localhost", "554 5.7.1 no"}, sasl.ErrConnection, 554},
		"EHLO, but later": {[]string{"220 hi", "<EHLO localhost", "450 4.7.1 later"}, sasl.ErrTemporary, 450},
		"no HELO":         {[]string{"220 hi", "<EHLO localhost", "502 what", "<HELO localhost", "550 5.7.1 no"}, sasl.ErrConnection, 550},
		"only HELO":       {[]string{"220 hi", "<EHLO localhost", "502 what", "<HELO localhost", "250 mail.example.org"}, sasl.ErrPolicy, 0},
	} {
		conn := sasltest.Scripted(t, row.lines...)
		conn.SetDeadline(time.Now().Add(5 * time.Second))
		_, err := saslsmtp.Authenticate(t.Context(), smtp.NewClient(conn), plain, saslsmtp.Existing{Host: smtptest.Host})
		var reply *saslsmtp.Reply
		if sasl.ClassOf(err) != row.class || errors.As(err, &reply) != (row.code != 0) || reply != nil && reply.Code != row.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	near, far := net.Pipe()
	far.Close()
	if _, err := saslsmtp.Authenticate(t.Context(), smtp.NewClient(near), plain, saslsmtp.Existing{Host: smtptest.Host}); !errors.Is(err, sasl.ErrConnection) {
		t.Errorf("cut: %v", err)
	}
}
