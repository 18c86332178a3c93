package sasl_test

import (
	"context"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// TestHistoricEchoes shows that no error has the digest or the password, if a server
// repeats one of them alone. The server knows the password, although it was not sent.
func TestHistoricEchoes(t *testing.T) {
	const password = "correct-horse-battery"
	credentials := sasl.Password("user", password)
	for _, row := range []struct {
		mechanism sasl.Mechanism
		challenge string
	}{
		{sasl.CRAMMD5(credentials), "<1896.697170952@postoffice.example.org>"},
		{sasl.DigestMD5(credentials), `nonce="OA6MG9tEQGm2hh",qop="auth",algorithm=md5-sess,charset=utf-8`},
	} {
		name := row.mechanism.Name()
		if !needsMD5(t, row.mechanism) {
			return
		}
		for _, which := range []string{"the digest", "the password"} {
			client := &sasl.Client{Mechanisms: []sasl.Mechanism{row.mechanism}}
			srv := sasl.ServerInfo{Service: "imap", Host: "mail.example.org", Secure: true, Mechanisms: []string{name}}
			secret := password
			_, err := client.Drive(t.Context(), io.NopCloser(nil), srv, func(s *sasl.Session) error {
				if _, _, err := s.Start(); err != nil {
					return err
				}
				response, err := s.Respond([]byte(row.challenge))
				if err != nil {
					return err
				}
				if which == "the digest" {
					secret = regexp.MustCompile(`\b[0-9a-f]{32}\b`).FindString(string(response))
				}
				return &sasl.Failure{Condition: sasl.NotAuthorized, Text: "not good: " + secret}
			})
			if sasl.ClassOf(err) != sasl.ErrAuthentication || secret == "" || strings.Contains(err.Error(), secret) {
				t.Errorf("%s, %s: %v", name, which, err)
			}
		}
	}
}

// TestNothingFollows shows that an exchange of a historic mechanism, of either side, that
// is done takes no further message.
func TestNothingFollows(t *testing.T) {
	credentials := sasl.Password("user", kitPassword)
	login := sasl.LoginServer(func(context.Context, string, sasl.Secret) error { return nil })
	for _, m := range []sasl.Mechanism{sasl.Login(credentials), sasl.CRAMMD5(credentials), sasl.DigestMD5(credentials)} {
		if m.Name() != login.Name() && !needsMD5(t, m) {
			return
		}
		servers := append(historic().Mechanisms, login)
		i := slices.IndexFunc(servers, func(s sasl.ServerMechanism) bool { return s.Name() == m.Name() })
		client := m.New(sasl.Terms{Server: sasl.ServerInfo{Service: "imap", Host: "mail.example.org"}})
		server := servers[i].New(sasl.ServerTerms{
			Conn:      sasl.ConnInfo{Service: "imap", Host: "mail.example.org"},
			Canonical: func(name string) (string, error) { return name, nil },
			Authorize: func(context.Context, sasl.Identity) error { return nil },
		})
		var last []byte
		response, proved, err := client.Step(t.Context(), nil)
		for accepted := false; !(accepted && proved) && err == nil; {
			var challenge []byte
			if len(response) > 0 {
				last = response
			}
			if challenge, accepted, err = server.Step(t.Context(), response); err == nil && challenge != nil {
				response, proved, err = client.Step(t.Context(), challenge)
			}
		}
		if err != nil {
			t.Fatalf("%s: %v", m.Name(), err)
		}
		for _, x := range []sasl.Exchange{client, server} {
			if out, done, err := x.Step(t.Context(), last); out != nil || done || sasl.ClassOf(err) != sasl.ErrProtocol {
				t.Errorf("%T: %q, done %t, %v", x, out, done, err)
			}
		}
	}
}
