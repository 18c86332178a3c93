package saslsmtp_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net"
	netsmtp "net/smtp"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"time"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	"github.com/saslkit/saslkit/adapters/smtp/internal/smtptest"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// The lists of two providers, and their refusals of a token.
const (
	office         = "250-AM0PR01CA0001.outlook.office365.com Hello [192.0.2.1]\r\n250-SIZE 157286400\r\n250-PIPELINING\r\n250-DSN\r\n250-ENHANCEDSTATUSCODES\r\n250-AUTH LOGIN XOAUTH2\r\n250-8BITMIME\r\n250 SMTPUTF8"
	gmail          = "250-smtp.gmail.com at your service, [192.0.2.1]\r\n250-SIZE 35882577\r\n250-8BITMIME\r\n250-AUTH LOGIN PLAIN XOAUTH2 PLAIN-CLIENTTOKEN OAUTHBEARER XOAUTH\r\n250-ENHANCEDSTATUSCODES\r\n250 SMTPUTF8"
	gmailChallenge = "334 eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ=="
	gmailRefusal   = "535-5.7.8 Username and Password not accepted. For more information, go to\r\n535 5.7.8  https://support.google.com/mail/?p=BadCredentials 5b1f17b1 - gsmtp"
)

// inTurn is a client with a source of tokens that can supply the next one.
func inTurn(tokens ...string) *sasl.Client {
	source := func(context.Context, sasl.Prompt) (sasl.BearerToken, error) {
		token := tokens[0]
		tokens = tokens[1:]
		return sasl.BearerToken{Username: "a@b.org", Token: sasl.NewSecret(token), Renewable: len(tokens) > 0}, nil
	}
	return &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.XOAuth2(source)}, Allow: plain.Allow}
}

// xoauth2 is the message in base64.
func xoauth2(token string) string {
	return base64.StdEncoding.EncodeToString([]byte("user=a@b.org\x01auth=Bearer " + token + "\x01\x01"))
}

// bearerWays are the clients that exist already and a Conn.
func bearerWays() map[string]func(*testing.T, net.Conn, *sasl.Client) error {
	ways := limitWays()
	delete(ways, "value")
	return ways
}

// TestBearer: the dialogues of providers, with a token that is accepted, refused, and
// followed by another.
func TestBearer(t *testing.T) {
	long := strings.Repeat("t", 1500)
	first := "<AUTH XOAUTH2 " + xoauth2("t1")
	for name, row := range map[string]struct {
		ehlo   string
		lines  []string
		tokens string
		class  sasl.Class // "" = success
		status string     // of the *BearerError; "" = there is none
		text   string
	}{
		"Microsoft 365":         {office, []string{first, "235 2.7.0 Authentication successful"}, "t1", "", "", ""},
		"the token after 334":   {office, []string{"<AUTH XOAUTH2", "334 ", "<" + xoauth2(long), "235 2.7.0 Authentication successful"}, long, "", "", ""},
		"asked for once more":   {office, []string{first, "334 ", "<" + xoauth2("t1"), "235 2.7.0 Authentication successful"}, "t1", "", "", ""},
		"Microsoft 365 refuses": {office, []string{first, "535 5.7.3 Authentication unsuccessful [AM0PR01CA0001]"}, "t1", sasl.ErrAuthentication, "", "535 5.7.3"},
		"then another": {office, []string{first, "535 5.7.3 Authentication unsuccessful [AM0PR01CA0001]",
			"<AUTH XOAUTH2 " + xoauth2("t2"), "235 2.7.0 Authentication successful"}, "t1 t2", "", "", ""},
		"disabled": {office, []string{first, "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled"},
			"t1 t2", sasl.ErrAuthorization, "", "https://aka.ms/smtp_auth_disabled"},
		"bad data": {office, []string{first, "501 5.5.124 Invalid XOAUTH2 auth data"}, "t1 t2", sasl.ErrProtocol, "", "501 5.5.124"},
		"Gmail":    {gmail, []string{first, "235 2.7.0 Accepted"}, "t1", "", "", ""},
		"Gmail refuses": {gmail, []string{first, gmailChallenge, "<", gmailRefusal}, "t1", sasl.ErrAuthentication, "400",
			"Username and Password not accepted. For more information, go to https://support.google.com/mail/?p=BadCredentials"},
		"Gmail refuses, then another": {gmail, []string{first, gmailChallenge, "<", gmailRefusal,
			"<AUTH XOAUTH2 " + xoauth2("t2"), "235 2.7.0 Accepted"}, "t1 t2", "", "", ""},
		"twice":                       {gmail, []string{first, gmailChallenge, "<", gmailRefusal, "<AUTH XOAUTH2 " + xoauth2("t2"), gmailChallenge, "<", gmailRefusal}, "t1 t2 t3", sasl.ErrAuthentication, "400", "535 5.7.8"},
		"later":                       {gmail, []string{first, gmailChallenge, "<", "454 4.7.0 Too many login attempts"}, "t1 t2", sasl.ErrTemporary, "400", "454 4.7.0"},
		"success after the challenge": {gmail, []string{first, gmailChallenge, "<", "235 2.7.0 Accepted"}, "t1 t2", sasl.ErrSecurity, "", ""},
	} {
		for way, authenticate := range bearerWays() {
			lines := append([]string{"220 hi", "<EHLO localhost", row.ehlo}, row.lines...)
			if way == "Conn" {
				lines[1] = ehlo
			}
			conn := sasltest.Scripted(t, lines...)
			conn.SetDeadline(time.Now().Add(8 * time.Second))
			err := authenticate(t, conn, inTurn(strings.Fields(row.tokens)...))
			if sasl.ClassOf(err) != row.class || (err == nil) != (row.class == "") {
				t.Errorf("%s, %s: %v", name, way, err)
			}
			checkBearer(t, name+", "+way, err, row.status, row.text)
		}
	}
}

// checkBearer compares the reasons in the JSON of the server and in its refusal.
func checkBearer(t *testing.T, name string, err error, status, text string) {
	t.Helper()
	var refused *sasl.BearerError
	if errors.As(err, &refused) != (status != "") || refused != nil && *refused != (sasl.BearerError{Status: status, Schemes: "Bearer", Scope: "https://mail.google.com/"}) {
		t.Errorf("%s: %+v", name, refused)
	}
	var reply *saslsmtp.Reply
	if errors.As(err, &reply); text != "" && (reply == nil || !strings.Contains(reply.Error(), text)) {
		t.Errorf("%s: %v, want %s", name, reply, text)
	}
}

// TestBearerNoPassword: a password does not follow a token, although the server and
// the client have LOGIN and PLAIN too.
func TestBearerNoPassword(t *testing.T) {
	for way, authenticate := range bearerWays() {
		auth := inTurn("t1")
		auth.Mechanisms = append(auth.Mechanisms, plain.Mechanisms...)
		auth.Retry = func(context.Context, error) *sasl.Client { return plain }
		lines := []string{"220 hi", "<EHLO localhost", gmail, "<AUTH XOAUTH2 " + xoauth2("t1"), gmailChallenge, "<", gmailRefusal}
		if way == "Conn" {
			lines[1] = ehlo
		}
		conn := sasltest.Scripted(t, lines...)
		conn.SetDeadline(time.Now().Add(8 * time.Second))
		if err := authenticate(t, conn, auth); sasl.ClassOf(err) != sasl.ErrAuthentication {
			t.Errorf("%s: %v", way, err)
		}
	}
}

// TestBearerAuthValue: a value has one attempt. Its error says so, with the reasons
// of the server.
func TestBearerAuthValue(t *testing.T) {
	const reasons = ": the server refused the token: status 400, scope https://mail.google.com/, schemes Bearer; no second attempt: this kind of login cannot make one with another token"
	for name, row := range map[string]struct {
		lines []string
		reply string // "" = success
		also  string
	}{
		"accepted":             {[]string{"235 2.7.0 Accepted"}, "", ""},
		"refused":              {[]string{gmailChallenge, "<", "535 5.7.8 no", "<*", "501 what", "<QUIT", "221 bye"}, "5.7.8 no", reasons},
		"refused with an echo": {[]string{gmailChallenge, "<", "535 5.7.8 no t1secret", "<*", "501 what", "<QUIT", "221 bye"}, "the server's text is withheld, because it repeats a secret", reasons},
		"refused at once":      {[]string{"535 5.7.3 no", "<*", "501 what", "<QUIT", "221 bye"}, "5.7.3 no", ""},
	} {
		lines := slices.Concat([]string{"220 hi", "<EHLO localhost", gmail, "<AUTH XOAUTH2 " + xoauth2("t1secret")}, row.lines)
		conn := sasltest.Scripted(t, lines...)
		conn.SetDeadline(time.Now().Add(8 * time.Second))
		client, err := netsmtp.NewClient(conn, smtptest.Host)
		if err != nil {
			t.Fatal(err)
		}
		value := saslsmtp.Auth(t.Context(), smtptest.Host, inTurn("t1secret", "t2"))
		err = value.Screen(client.Auth(value))
		if row.reply == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		var reply *textproto.Error
		if !errors.As(err, &reply) || reply.Code != 535 || reply.Msg != row.reply || err.Error() != reply.Error()+row.also {
			t.Errorf("%s: %v", name, err)
		}
	}
}
