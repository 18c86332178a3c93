package sasl_test

import (
	"context"
	"crypto/fips140"
	"crypto/hmac"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"regexp"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// historic is a server of the mechanisms with MD5, for "user".
func historic() *sasl.Server {
	lookup := passwordLookup("user", kitPassword)
	return &sasl.Server{Mechanisms: []sasl.ServerMechanism{sasl.CRAMMD5Server(lookup), sasl.DigestMD5Server("", lookup)}}
}

// needsMD5 ends a test in a process that enforces FIPS 140, after it has shown that
// the mechanism is unavailable.
func needsMD5(t *testing.T, mechanism sasl.Mechanism) (available bool) {
	t.Helper()
	if !fips140.Enforced() {
		return true
	}
	client := &sasl.Client{Mechanisms: []sasl.Mechanism{mechanism}}
	_, err := client.Authenticate(t.Context(), sasltest.NewPeer(), sasl.ServerInfo{Secure: true, Mechanisms: []string{mechanism.Name()}})
	if sasl.ClassOf(err) != sasl.ErrPolicy || !strings.Contains(err.Error(), "FIPS 140 does not allow MD5") {
		t.Errorf("%s: %v", mechanism.Name(), err)
	}
	if offer := historic().Offer(sasl.ConnInfo{Secure: true}); offer != nil {
		t.Errorf("the server offers %q", offer)
	}
	return false
}

// TestHistoricMechanisms runs the kit for authors of mechanisms over both mechanisms
// with MD5.
func TestHistoricMechanisms(t *testing.T) {
	right, wrong := sasl.Password("user", kitPassword), sasl.Password("user", "another-Secret")
	for _, k := range []sasltest.MechanismKit{
		{Mechanism: sasl.CRAMMD5(right), Wrong: sasl.CRAMMD5(wrong)},
		{Mechanism: sasl.DigestMD5(right.ActingAs("user")), Wrong: sasl.DigestMD5(wrong), Authzid: "user"},
	} {
		t.Run(k.Mechanism.Name(), func(t *testing.T) {
			k.Server, k.Conn, k.Secrets, k.Username = historic(), kitConn, []string{kitPassword}, "user"
			sasltest.TestMechanism(t, k)
		})
	}
}

// TestHistoricAreNamed shows that a client uses the mechanisms with MD5 only if its list
// has them, and only with a server that is Secure, unless the caller names them there
// too.
func TestHistoricAreNamed(t *testing.T) {
	credentials := sasl.Password("user", kitPassword)
	for _, m := range []sasl.Mechanism{sasl.CRAMMD5(credentials), sasl.DigestMD5(credentials)} {
		if !needsMD5(t, m) {
			continue
		}
		srv := sasl.ServerInfo{Service: "imap", Host: "mail.example.org", Mechanisms: []string{m.Name()}}
		secure := srv
		secure.Secure = true
		for name, row := range map[string]struct {
			client sasl.Client
			srv    sasl.ServerInfo
			lines  []sasltest.Line
			class  sasl.Class
			text   string
		}{
			"not in the list":  {sasl.Client{Mechanisms: sasl.PasswordMechanisms(credentials)}, secure, nil, sasl.ErrPolicy, "not configured"},
			"no TLS":           {sasl.Client{Mechanisms: []sasl.Mechanism{m}}, srv, nil, sasl.ErrPolicy, "not verified"},
			"no TLS and named": {sasl.Client{Mechanisms: []sasl.Mechanism{m}, Allow: sasl.AllowInsecure(m.Name())}, srv, []sasltest.Line{noData, refuse(sasl.NotAuthorized)}, sasl.ErrAuthentication, ""},
			"TLS and named":    {sasl.Client{Mechanisms: []sasl.Mechanism{m}}, secure, []sasltest.Line{noData, refuse(sasl.NotAuthorized)}, sasl.ErrAuthentication, ""},
		} {
			peer := sasltest.NewPeer(row.lines...)
			_, err := row.client.Authenticate(t.Context(), peer, row.srv)
			if sasl.ClassOf(err) != row.class || !strings.Contains(err.Error(), row.text) || peer.Fault() != nil {
				t.Errorf("%s, %s: %v, %v", m.Name(), name, err, peer.Fault())
			}
		}
	}
}

// TestCRAMMD5Asks: an authzid ends the login before anything is sent, and the client
// asks for a password only once the challenge is there.
func TestCRAMMD5Asks(t *testing.T) {
	if !needsMD5(t, sasl.CRAMMD5(nil)) {
		return
	}
	asked := 0
	lazy := func(context.Context, sasl.Prompt) (sasl.Credential, error) {
		return sasl.Credential{Username: "tim", Password: func(context.Context) (sasl.Secret, error) {
			asked++
			return sasl.NewSecret("tanstaaftanstaaf"), nil
		}}, nil
	}
	srv := sasl.ServerInfo{Secure: true, Mechanisms: []string{"CRAM-MD5"}}
	for name, row := range map[string]struct {
		credentials sasl.Credentials
		lines       []sasltest.Line
		class       sasl.Class
		asked       int
	}{
		"an authzid":      {sasl.Password("tim", "secret").ActingAs("tim"), nil, sasl.ErrConfig, 0},
		"no username":     {sasl.Password("", "secret"), nil, sasl.ErrConfig, 0},
		"no password":     {sasl.Password("tim", ""), []sasltest.Line{noData, s("<1@x>"), abort}, sasl.ErrConfig, 0},
		"empty challenge": {lazy, []sasltest.Line{noData, s(""), abort}, sasl.ErrProtocol, 0},
		"refused":         {lazy, []sasltest.Line{noData, refuse(sasl.NotAuthorized)}, sasl.ErrAuthentication, 0},
		"challenge": {lazy, []sasltest.Line{noData, s("<1896.697170952@postoffice.reston.mci.net>"),
			c("tim b913a602c7eda7a495b4e6e7334d3890"), succeed}, "", 1},
	} {
		asked = 0
		peer := sasltest.NewPeer(row.lines...)
		_, err := (&sasl.Client{Mechanisms: []sasl.Mechanism{sasl.CRAMMD5(row.credentials)}}).Authenticate(t.Context(), peer, srv)
		if sasl.ClassOf(err) != row.class || asked != row.asked || peer.Fault() != nil {
			t.Errorf("%s: %v, asked %d times, %v", name, err, asked, peer.Fault())
		}
	}
}

// TestCRAMMD5Challenge: no two challenges are the same, and each has random digits, the
// time and the host.
func TestCRAMMD5Challenge(t *testing.T) {
	if !needsMD5(t, sasl.CRAMMD5(nil)) {
		return
	}
	for host, want := range map[string]string{"": "localhost", "mail.example.org": "mail.example.org"} {
		form := regexp.MustCompile(`^<[0-9]{20,}\.[0-9]{10,}@` + want + `>$`)
		seen := make(map[string]bool)
		for range 8 {
			session, err := historic().Begin(t.Context(), sasl.ConnInfo{Secure: true, Host: host}, "CRAM-MD5")
			if err != nil {
				t.Fatal(err)
			}
			challenge, done, err := session.Respond(t.Context(), nil)
			if done || err != nil || !form.Match(challenge) || seen[string(challenge)] {
				t.Errorf("%q, done %t, %v", challenge, done, err)
			}
			seen[string(challenge)] = true
		}
	}
}

// TestPasswordLookup: the mechanisms with MD5 look up every user once, by the canonical
// name, and refuse a user without a password as one with a wrong password. The digest
// of an empty password lets nobody in.
func TestPasswordLookup(t *testing.T) {
	if !needsMD5(t, sasl.CRAMMD5(nil)) {
		return
	}
	var asked []string
	lookup := func(_ context.Context, username string) (sasl.Secret, error) {
		asked = append(asked, username)
		switch username {
		case "user":
			return sasl.NewSecret("pencil"), nil
		case "locked":
			return sasl.NewSecret("pencil"), sasl.ErrAuthentication
		case "down":
			return sasl.Secret{}, errors.New("the store is down")
		}
		return sasl.Secret{}, nil
	}
	server := &sasl.Server{Mechanisms: []sasl.ServerMechanism{sasl.CRAMMD5Server(lookup)}}
	for _, row := range []struct {
		username, password, asked string
		class                     sasl.Class
		text                      string
	}{
		{"user", "pencil", "user", "", ""},
		{"us\u00ADer", "pencil", "user", "", ""},
		{"user", "pencils", "user", sasl.ErrAuthentication, "the digest is wrong"},
		{"nobody", "pencil", "nobody", sasl.ErrAuthentication, "the digest is wrong"},
		{"nobody", "", "nobody", sasl.ErrAuthentication, "the digest is wrong"},
		{"locked", "pencil", "locked", sasl.ErrAuthentication, "the digest is wrong"},
		{"down", "pencil", "down", sasl.ErrTemporary, "the store is down"},
		{"us\x00er", "pencil", "", sasl.ErrProtocol, "UTF-8 without NUL"},
		{strings.Repeat("a", 1025), "pencil", "", sasl.ErrProtocol, "1 KiB"},
	} {
		asked = nil
		session := beginServer(t, server, "CRAM-MD5")
		challenge, _, err := session.Respond(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		mac := hmac.New(md5.New, []byte(row.password))
		mac.Write(challenge)
		_, done, err := session.Respond(t.Context(), []byte(row.username+" "+hex.EncodeToString(mac.Sum(nil))))
		if sasl.ClassOf(err) != row.class || done != (err == nil) || strings.Join(asked, " ") != row.asked || err != nil && !strings.Contains(err.Error(), row.text) {
			t.Errorf("%.20q: done %t, %v, looked up %q", row.username, done, err, asked)
		}
		if got := session.Result().Username; (got == "user") != done {
			t.Errorf("%.20q: the result is %q", row.username, got)
		}
	}
}

// TestNobodyOfCRAMMD5: the mechanism needs a username, whatever Canonical makes of it.
func TestNobodyOfCRAMMD5(t *testing.T) {
	if !needsMD5(t, sasl.CRAMMD5(nil)) {
		return
	}
	server := historic()
	server.Canonical = func(name string) (string, error) { return name, nil }
	session := beginServer(t, server, "CRAM-MD5")
	session.Respond(t.Context(), nil)
	if _, done, err := session.Respond(t.Context(), []byte(" b913a602c7eda7a495b4e6e7334d3890")); done || sasl.ClassOf(err) != sasl.ErrProtocol {
		t.Errorf("done %t, %v", done, err)
	}
}

// TestCRAMMD5Trace: a trace shows the challenge and the username, and not the digest.
func TestCRAMMD5Trace(t *testing.T) {
	if !needsMD5(t, sasl.CRAMMD5(nil)) {
		return
	}
	var trace []string
	client := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.CRAMMD5(sasl.Password("tim", "tanstaaftanstaaf"))}}
	client.Trace = func(e sasl.Event) { trace = append(trace, e.String()) }
	peer := sasltest.NewPeer(noData, s("<1896.697170952@postoffice.reston.mci.net>"), c("tim b913a602c7eda7a495b4e6e7334d3890"),
		sasltest.Line{Op: sasltest.Challenge, Data: []byte("b913a602c7eda7a495b4e6e7334d3890 tanstaaftanstaaf")}, abort)
	_, err := client.Authenticate(t.Context(), peer, sasl.ServerInfo{Secure: true, Mechanisms: []string{"CRAM-MD5"}})
	want := "-- CRAM-MD5\nC: (none)\nS: challenge=\"<1896.697170952@postoffice.reston.mci.net>\"\nC: username=\"tim\" digest=…\nS: (withheld: it repeats a secret)\nC*"
	if got := strings.Join(trace, "\n"); got != want || sasl.ClassOf(err) != sasl.ErrProtocol {
		t.Errorf("%s\n%v", got, err)
	}
}
