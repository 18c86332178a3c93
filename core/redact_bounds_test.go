package sasl_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// saidAbout returns the text of the error of a run of the mechanism that ends with
// err.
func saidAbout(t *testing.T, m sasl.Mechanism, err error) string {
	t.Helper()
	client := sasl.Client{Mechanisms: []sasl.Mechanism{m}}
	_, got := client.Drive(t.Context(), io.NopCloser(nil), sasl.ServerInfo{Secure: true, Mechanisms: []string{m.Name()}}, func(s *sasl.Session) error {
		if _, _, err := s.Start(); err != nil {
			return err
		}
		return err
	})
	return fmt.Sprintf("%v %+v", got, got)
}

// TestRedactionBounds: how much of a secret, of a message and of base64 gives it
// away. A text with one octet less is shown.
func TestRedactionBounds(t *testing.T) {
	const long, eight = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", "qrstuvwx"
	plain := func(password string) sasl.Mechanism { return sasl.Plain(sasl.Password("tim", password)) }
	for _, row := range []struct {
		name      string
		mechanism sasl.Mechanism
		text      string
		shown     bool
	}{
		{"16 octets of a long secret", plain(long), long[5:21], false},
		{"15 octets of it", plain(long), long[5:20], true},
		{"three quarters of a short one", plain(eight), eight[1:7], false},
		{"less than that", plain(eight), eight[1:6], true},
		{"the secret in another case", plain(eight), strings.ToUpper(eight), false},
		{"4 octets of a message", bearer{long, false}, long[5:9], false},
		{"3 octets of it", bearer{long, false}, long[5:8], true},
		{"6 digits", plain(long), "RkdISU", false},      // base64 of FGHI, and of a part of J
		{"5 digits", plain(long), "RkdIS", true},        // of FGH, and of a part of I
		{"another place", plain(long), "ZHSElK", false}, // of FGHIJ, one octet later
		{"and another", plain(long), "GR0hJS", false},   // of FGHIJ, two octets later
		{"base64 of 4 octets", plain("wxyz"), "d3h5eg", false},
		{"4 octets with blanks", plain("w x "), "w x ", false},
		{"and without them", plain("w x "), "wx", true},
	} {
		said := saidAbout(t, row.mechanism, &sasl.Failure{Condition: sasl.NotAuthorized, Text: "<" + row.text + ">"})
		if strings.Contains(said, row.text) != row.shown || strings.Contains(said, "withheld") == row.shown {
			t.Errorf("%s: %s", row.name, said)
		}
	}
}

// TestEchoOfBinarySecret shows that a binary secret is found, as it is and in
// base64.
func TestEchoOfBinarySecret(t *testing.T) {
	secret := "\xff\xfe\x00\x80\x81\xc0\xf5\x90"
	for _, echo := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret)), "//4AgIHA"} {
		said := saidAbout(t, bearer{secret, true}, &sasl.Failure{Condition: sasl.NotAuthorized, Text: "no: " + echo})
		if !strings.Contains(said, "(withheld: it repeats a secret)") || strings.Contains(said, echo) {
			t.Errorf("%q: %s", echo, said)
		}
	}
}

// TestEchoWithoutClass: an error of a loop, or of a mechanism, that has no class and
// repeats the password gets a class and loses its words.
func TestEchoWithoutClass(t *testing.T) {
	const password = "correct horse"
	for name, err := range map[string]error{
		"alone":    errors.New("you said " + password),
		"within":   fmt.Errorf("lost: %w", errors.New(password)),
		"beside":   errors.Join(io.EOF, errors.New(password)),
		"shorter":  &shortened{errors.New(password)},
		"no error": errors.Join(nil, &shortened{errors.New(password)}),
	} {
		var got error
		client := plainClient(password)
		_, got = client.Drive(t.Context(), io.NopCloser(nil), plainServer, func(s *sasl.Session) error {
			s.Start()
			return err
		})
		want := "connection error: the reason is withheld, because it repeats a secret"
		if name == "shorter" || name == "no error" { // it has a class of its own
			want = "temporary error: the reason is withheld, because it repeats a secret"
		}
		if got == nil || got.Error() != want || errors.Is(got, io.EOF) {
			t.Errorf("%s: %v", name, got)
		}
	}
	m := declaringPlayed{played{moves: []move{{out: []byte("x")}, {err: errors.New("the server said " + password)}}}, password}
	client := sasl.Client{Mechanisms: []sasl.Mechanism{m}}
	_, err := client.Drive(t.Context(), io.NopCloser(nil), playedServer, func(s *sasl.Session) error {
		s.Start()
		_, err := s.Respond([]byte("?"))
		return err
	})
	if want := "protocol error: the reason is withheld, because it repeats a secret"; err == nil || err.Error() != want {
		t.Errorf("of a mechanism: %v", err)
	}
}

// declaringPlayed is a played mechanism with a secret.
type declaringPlayed struct {
	played
	secret string
}

func (m declaringPlayed) New(t sasl.Terms) sasl.Exchange {
	return declaringPlayedExchange{m.played.New(t), m.secret}
}

type declaringPlayedExchange struct {
	sasl.Exchange
	secret string
}

func (x declaringPlayedExchange) SentSecrets() []sasl.Secret {
	return []sasl.Secret{sasl.NewSecret(x.secret)}
}

// TestEchoInWrappedFailure: a refusal that repeats the password is scrubbed
// whatever wraps it, and keeps the condition. Without an echo it is as it was.
func TestEchoInWrappedFailure(t *testing.T) {
	const password = "correct horse"
	own := errors.New("the protocol's own")
	for name, row := range map[string]struct {
		failure   sasl.Failure
		condition sasl.Condition
		text      string
		own       bool
	}{
		"no echo":                       {sasl.Failure{Condition: sasl.CredentialsExpired, Text: "too old", Err: own}, sasl.CredentialsExpired, "too old", true},
		"in the text":                   {sasl.Failure{Condition: sasl.CredentialsExpired, Text: password, Err: own}, sasl.CredentialsExpired, "(withheld: it repeats a secret)", false},
		"in the protocol's own":         {sasl.Failure{Condition: sasl.CredentialsExpired, Text: "too old", Err: fmt.Errorf("%s: %w", password, own)}, sasl.CredentialsExpired, "(withheld: it repeats a secret)", false},
		"in a condition":                {sasl.Failure{Condition: password, Text: "too old"}, "", "(withheld: it repeats a secret)", false},
		"an unknown condition, no echo": {sasl.Failure{Condition: "strange", Text: "too old"}, "strange", "too old", false},
		"an unknown condition, an echo": {sasl.Failure{Condition: "strange", Text: password}, "strange", "(withheld: it repeats a secret)", false},
	} {
		client := plainClient(password)
		_, err := client.Drive(t.Context(), io.NopCloser(nil), plainServer, func(s *sasl.Session) error {
			s.Start()
			return fmt.Errorf("the library: %w", &row.failure)
		})
		var failure *sasl.Failure
		if !errors.As(err, &failure) || failure.Condition != row.condition || failure.Text != row.text || errors.Is(err, own) != row.own {
			t.Errorf("%s: %v, %+v", name, err, failure)
		}
		checkSilent(t, name, fmt.Sprintf("%v %+v %v", err, failure, failure.Unwrap()), password)
	}
}

// TestEchoInTheTrace: a challenge, the data of success and a refusal that repeat a
// secret are withheld from the trace; what the client sends is described without.
func TestEchoInTheTrace(t *testing.T) {
	const password = "correct horse"
	m := declaringPlayed{played{moves: []move{{out: []byte("x")}, {out: []byte(password)}, {out: []byte(password)}, {done: true}}}, password}
	var trace []string
	client := sasl.Client{Mechanisms: []sasl.Mechanism{m}, Trace: func(e sasl.Event) { trace = append(trace, e.String()) }}
	ok := sasl.Reply{Done: true, Data: []byte("bye " + password)}
	conn := &answers{list: []answer{{sasl.Reply{Data: []byte(password)}, nil}, {sasl.Reply{Data: []byte("?")}, nil}, {ok, nil}}}
	if _, err := client.Authenticate(t.Context(), conn, playedServer); err != nil {
		t.Error(err)
	}
	want := []string{"-- X-PLAYED", "C: 1 octets", "S: (withheld: it repeats a secret)", "C: 13 octets", "S: 1 octets", "C: 13 octets", "S+ (withheld: it repeats a secret)"}
	if !slices.Equal(trace, want) {
		t.Errorf("%q", trace)
	}
	trace = nil
	conn = &answers{list: []answer{{err: &sasl.Failure{Condition: sasl.NotAuthorized, Text: password}}}}
	client.Authenticate(t.Context(), conn, playedServer)
	if want := []string{"-- X-PLAYED", "C: 1 octets", "S! not-authorized (withheld: it repeats a secret)"}; !slices.Equal(trace, want) {
		t.Errorf("%q", trace)
	}
}
