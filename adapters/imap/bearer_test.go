package saslimap

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	sasl "github.com/saslkit/saslkit/core"
)

// The lists of two providers, and their refusals of a token.
const (
	gmail = "* OK [CAPABILITY IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 SASL-IR " +
		"AUTH=XOAUTH2 AUTH=PLAIN AUTH=PLAIN-CLIENTTOKEN AUTH=OAUTHBEARER] Gimap ready for requests"
	exchange       = "* OK [CAPABILITY IMAP4 IMAP4rev1 AUTH=XOAUTH2 SASL-IR UIDPLUS ID UNSELECT CHILDREN IDLE] The Microsoft Exchange IMAP4 service is ready."
	exchangeNoIR   = "* OK [CAPABILITY IMAP4 IMAP4rev1 AUTH=XOAUTH2 UIDPLUS] The Microsoft Exchange IMAP4 service is ready."
	gmailChallenge = "eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ=="
)

// inTurn is a source of tokens that can supply the next one.
func inTurn(tokens ...string) sasl.BearerSource {
	return func(context.Context, sasl.Prompt) (sasl.BearerToken, error) {
		token := tokens[0]
		tokens = tokens[1:]
		return sasl.BearerToken{Username: "a@b.org", Token: sasl.NewSecret(token), Renewable: len(tokens) > 0}, nil
	}
}

// xoauth2 is the message in base64, and oauth that of OAUTHBEARER.
func xoauth2(token string) string {
	return base64.StdEncoding.EncodeToString([]byte("user=a@b.org\x01auth=Bearer " + token + "\x01\x01"))
}

func oauth(token string) string {
	return base64.StdEncoding.EncodeToString([]byte("n,a=a@b.org,\x01port=993\x01auth=Bearer " + token + "\x01\x01"))
}

// TestBearer: the dialogues of providers, with a token that is accepted, refused, and
// followed by another.
func TestBearer(t *testing.T) {
	for name, row := range map[string]struct {
		lines     []string
		tokens    string
		class     sasl.Class // "" = success
		mechanism string
		status    string // of the *BearerError; "" = there is none
		code      imap.ResponseCode
	}{
		"Exchange": {[]string{exchange, "<A1 AUTHENTICATE XOAUTH2 " + xoauth2("t1"), "A1 OK AUTHENTICATE completed."}, "t1", "", "XOAUTH2", "", ""},
		"Exchange without SASL-IR": {[]string{exchangeNoIR, "<A1 AUTHENTICATE XOAUTH2", "+ ", "<" + xoauth2("t1"), "A1 OK AUTHENTICATE completed."},
			"t1", "", "XOAUTH2", "", ""},
		"refused at once": {[]string{exchange, "<A1 AUTHENTICATE XOAUTH2 " + xoauth2("t1"), "A1 NO AUTHENTICATE failed."},
			"t1", sasl.ErrAuthentication, "XOAUTH2", "", ""},
		"refused at once, then another": {[]string{exchange, "<A1 AUTHENTICATE XOAUTH2 " + xoauth2("t1"), "A1 NO AUTHENTICATE failed.",
			"<A2 AUTHENTICATE XOAUTH2 " + xoauth2("t2"), "A2 OK AUTHENTICATE completed."}, "t1 t2", "", "XOAUTH2", "", ""},
		"Gmail": {[]string{gmail, "<A1 AUTHENTICATE OAUTHBEARER " + oauth("t1"), "* CAPABILITY IMAP4rev1 IDLE", "A1 OK Success"},
			"t1", "", "OAUTHBEARER", "", ""},
		"Gmail refuses": {[]string{gmail, "<A1 AUTHENTICATE OAUTHBEARER " + oauth("t1"), "+ " + gmailChallenge, "<AQ==",
			"A1 NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)"}, "t1", sasl.ErrAuthentication, "OAUTHBEARER", "400", "AUTHENTICATIONFAILED"},
		"Gmail refuses, then another": {[]string{gmail, "<A1 AUTHENTICATE OAUTHBEARER " + oauth("t1"), "+ " + gmailChallenge, "<AQ==",
			"A1 NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)", "<A2 AUTHENTICATE OAUTHBEARER " + oauth("t2"), "A2 OK Success"},
			"t1 t2", "", "OAUTHBEARER", "", ""},
		"BAD after the challenge": {[]string{gmail, "<A1 AUTHENTICATE OAUTHBEARER " + oauth("t1"), "+ " + gmailChallenge, "<AQ==",
			"A1 BAD Invalid SASL argument."}, "t1 t2", sasl.ErrProtocol, "OAUTHBEARER", "400", ""},
		"temporary after the challenge": {[]string{exchange, "<A1 AUTHENTICATE XOAUTH2 " + xoauth2("t1"), "+ " + gmailChallenge, "<",
			"A1 NO [UNAVAILABLE] Try later"}, "t1 t2", sasl.ErrTemporary, "XOAUTH2", "400", "UNAVAILABLE"},
		"XOAUTH2 with a challenge": {[]string{exchangeNoIR, "<A1 AUTHENTICATE XOAUTH2", "+", "<" + xoauth2("t1"), "+ " + gmailChallenge, "<",
			"A1 NO [AUTHENTICATIONFAILED] Invalid", "<A2 AUTHENTICATE XOAUTH2", "+", "<" + xoauth2("t2"), "A2 OK"}, "t1 t2", "", "XOAUTH2", "", ""},
		"success after the challenge": {[]string{exchange, "<A1 AUTHENTICATE XOAUTH2 " + xoauth2("t1"), "+ " + gmailChallenge, "<", "A1 OK"},
			"t1 t2", sasl.ErrSecurity, "XOAUTH2", "", ""},
		"no JSON": {[]string{exchange, "<A1 AUTHENTICATE XOAUTH2 " + xoauth2("t1"), "+ YWJj", "<*", "A1 BAD cancelled"}, "t1 t2", sasl.ErrProtocol, "XOAUTH2", "", ""},
	} {
		c, err := NewConn(t.Context(), prompt(t, row.lines...), "", nil)
		if err != nil {
			t.Fatal(err)
		}
		c.info.Port = 993
		client := &sasl.Client{Mechanisms: sasl.BearerMechanisms(inTurn(strings.Fields(row.tokens)...)), Allow: plain.Allow}
		result, err := c.Authenticate(soon(t), client)
		if sasl.ClassOf(err) != row.class || (err == nil) != (row.class == "") || result.Mechanism != row.mechanism || result.Username != "a@b.org" {
			t.Errorf("%s: %+v, %v", name, result, err)
		}
		checkBearer(t, name, err, row.status, row.code)
	}
}

// checkBearer compares the reasons in the JSON of the server and in its refusal.
func checkBearer(t *testing.T, name string, err error, status string, code imap.ResponseCode) {
	t.Helper()
	var refused *sasl.BearerError
	if errors.As(err, &refused) != (status != "") || refused != nil && *refused != (sasl.BearerError{Status: status, Schemes: "Bearer", Scope: "https://mail.google.com/"}) {
		t.Errorf("%s: %+v", name, refused)
	}
	var own *imap.Error
	if errors.As(err, &own); code != "" && (own == nil || own.Code != code) {
		t.Errorf("%s: %v, want the code %s", name, own, code)
	}
}

// TestExistingBearer: the library sends "=" for the empty answer of XOAUTH2 to an
// error challenge. A server that finds this bad has refused the token already.
func TestExistingBearer(t *testing.T) {
	sent := []string{exchange, "<T1 AUTHENTICATE XOAUTH2 " + xoauth2("t1"), "+ " + gmailChallenge, "<="}
	for name, row := range map[string]struct {
		equals bool
		lines  []string
		tokens string
		class  sasl.Class // "" = success
	}{
		"NO":                          {false, append(sent, "T1 NO [AUTHENTICATIONFAILED] Invalid"), "t1", sasl.ErrAuthentication},
		"BAD":                         {false, append(sent, "T1 BAD Invalid base64"), "t1", sasl.ErrAuthentication},
		"BAD, although = is accepted": {true, append(sent, "T1 BAD Invalid SASL argument"), "t1", sasl.ErrProtocol},
		"later":                       {false, append(sent, "T1 NO [UNAVAILABLE] later"), "t1", sasl.ErrTemporary},
		"BAD, then another": {false, append(sent, "T1 BAD Invalid base64", "<T2 AUTHENTICATE XOAUTH2 "+xoauth2("t2"),
			"T2 OK [CAPABILITY IMAP4rev1] AUTHENTICATE completed."), "t1 t2", ""},
		"the first is BAD": {false, []string{exchange, "<T1 AUTHENTICATE XOAUTH2 " + xoauth2("t1"), "T1 BAD what"}, "t1", sasl.ErrProtocol},
	} {
		client := imapclient.New(prompt(t, row.lines...), nil)
		auth := &sasl.Client{Mechanisms: sasl.BearerMechanisms(inTurn(strings.Fields(row.tokens)...)), Allow: plain.Allow}
		_, err := Authenticate(soon(t), client, auth, Existing{EqualsSign: row.equals})
		if sasl.ClassOf(err) != row.class || (err == nil) != (row.class == "") {
			t.Errorf("%s: %v", name, err)
		}
		if status := "400"; err != nil && name != "the first is BAD" {
			checkBearer(t, name, err, status, "")
		}
		client.Close()
	}
}
