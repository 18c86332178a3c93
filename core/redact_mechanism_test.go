package sasl_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// TestEchoThroughMechanism has a mechanism return a refusal of the server: a text
// that repeats a secret is withheld, and the condition and a suspicion stay.
func TestEchoThroughMechanism(t *testing.T) {
	const password, withheld = "correct horse", "(withheld: it repeats a secret)"
	echo := &sasl.Failure{Condition: sasl.CredentialsExpired, Text: password}
	quiet := &sasl.Failure{Condition: sasl.CredentialsExpired, Text: "too old"}
	for name, row := range map[string]struct {
		err      error
		text     string // of the refusal; "" = there is none any more
		says     string
		security bool
	}{
		"alone":                    {echo, withheld, "refused with credentials-expired", false},
		"wrapped":                  {fmt.Errorf("%s: %w", password, echo), withheld, "refused with credentials-expired", false},
		"wrapped, and no echo":     {fmt.Errorf("the mechanism: %w", quiet), "too old", "the mechanism: authentication error: refused", false},
		"an echo in what wraps it": {fmt.Errorf("%s: %w", password, quiet), "", "withheld", false},
		"beside a suspicion, with a class": {errors.Join(sasl.ErrSecurity,
			&sasl.Failure{Condition: sasl.CredentialsExpired, Text: password, Err: sasl.ErrTemporary}), withheld, "refused with credentials-expired", true},
		"beside a suspicion": {errors.Join(sasl.ErrSecurity, echo), withheld, "refused with credentials-expired", true},
	} {
		m := declaringPlayed{played{moves: []move{{err: row.err}}}, password}
		client := sasl.Client{Mechanisms: []sasl.Mechanism{m}}
		session, err := client.Begin(t.Context(), playedServer)
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = session.Start()
		text := ""
		if failure := (*sasl.Failure)(nil); errors.As(err, &failure) {
			text = failure.Text
		}
		if text != row.text || !strings.Contains(err.Error(), row.says) || !errors.Is(err, sasl.ErrAuthentication) || errors.Is(err, sasl.ErrSecurity) != row.security {
			t.Errorf("%s: %v, the refusal says %q", name, err, text)
		}
		checkSilent(t, name, fmt.Sprintf("%v %+v", err, err), password)
	}
}

// revealing is an exchange whose description of a message shows its secret.
type revealing struct{ declaringPlayedExchange }

func (x revealing) Describe([]byte) string { return "decrypted: " + x.secret }

type revealingMechanism struct{ declaringPlayed }

func (m revealingMechanism) New(t sasl.Terms) sasl.Exchange {
	return revealing{m.declaringPlayed.New(t).(declaringPlayedExchange)}
}

// TestEchoInDescription: the trace withholds a description of the server's message
// that shows a secret, although the message itself does not.
func TestEchoInDescription(t *testing.T) {
	var trace []string
	client := sasl.Client{Mechanisms: []sasl.Mechanism{revealingMechanism{declaringPlayed{played{moves: []move{{}, {done: true}}}, "correct horse"}}}}
	client.Trace = func(e sasl.Event) { trace = append(trace, e.String()) }
	session, err := client.Begin(t.Context(), playedServer)
	if err != nil {
		t.Fatal(err)
	}
	session.Start()
	session.Respond([]byte("?"))
	if len(trace) != 4 || trace[2] != "S: (withheld: it repeats a secret)" {
		t.Errorf("%q", trace)
	}
	if text := (sasl.Event{Kind: sasl.EventAborted}).String(); text != "C*" {
		t.Errorf("an event without a text: %q", text)
	}
}

// TestSecondAttemptSpeaks: what the first attempt sent takes no other words away
// from the second.
func TestSecondAttemptSpeaks(t *testing.T) {
	client := plainClient("correct horse")
	client.Retry = func(context.Context, error) *sasl.Client {
		client.Retry = nil
		return plainClient("battery staple")
	}
	_, err := client.Authenticate(t.Context(), &answering{err: &sasl.Failure{Condition: sasl.NotAuthorized, Text: "go away"}}, plainServer)
	if want := "authentication error: refused with not-authorized: go away"; err == nil || err.Error() != want {
		t.Error(err)
	}
}

// TestWordsOfTheContext: an error of a run whose context ended says that once, and
// keeps a suspicion.
func TestWordsOfTheContext(t *testing.T) {
	for _, row := range []struct {
		err      error
		want     string
		security bool
	}{
		{nil, "connection error: context canceled", false},
		{context.Canceled, "connection error: context canceled", false},
		{fmt.Errorf("the library: %w", context.Canceled), "connection error: context canceled", false},
		{io.ErrUnexpectedEOF, "connection error: context canceled (unexpected EOF)", false},
		{sasl.ErrSecurity, "connection error: context canceled (security error)", true},
		{fmt.Errorf("%w: %w", sasl.ErrSecurity, context.Canceled), "connection error: context canceled (security error: context canceled)", true},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := plainClient("secret").Drive(ctx, io.NopCloser(nil), plainServer, func(s *sasl.Session) error {
			s.Start()
			cancel()
			return row.err
		})
		if err == nil || err.Error() != row.want || !errors.Is(err, context.Canceled) || errors.Is(err, sasl.ErrSecurity) != row.security || sasl.ClassOf(err) != sasl.ErrConnection {
			t.Errorf("%v: %v, want %s", row.err, err, row.want)
		}
	}
}
