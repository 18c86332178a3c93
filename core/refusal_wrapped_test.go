package sasl_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// TestWrappedRefusal shows that a class around a refusal means a connection that is
// not in sync: the client closes the connection and does not call Retry.
func TestWrappedRefusal(t *testing.T) {
	refusal := &sasl.Failure{Condition: sasl.NotAuthorized}
	for _, row := range []struct {
		name   string
		err    error
		inSync bool
	}{
		{"a refusal", refusal, true},
		{"more words", fmt.Errorf("the server answers: %w", refusal), true},
		{"with the library's error", &sasl.Failure{Condition: sasl.NotAuthorized, Err: errors.New("535")}, true},
		{"more data behind it", fmt.Errorf("%w: more follows: %w", sasl.ErrProtocol, refusal), false},
		{"a cut behind it", fmt.Errorf("%w: %w", sasl.ErrConnection, refusal), false},
		{"a cut joined to it", errors.Join(refusal, sasl.ErrConnection), false},
		{"a closing server", fmt.Errorf("%w: it says goodbye: %w", sasl.ErrTemporary, refusal), false},
	} {
		conn, asked := closer{}, false
		client := plainClient("tanstaaf")
		client.Retry = func(context.Context, error) *sasl.Client { asked = true; return nil }
		_, err := client.Drive(t.Context(), &conn, plainServer, func(s *sasl.Session) error {
			if _, _, err := s.Start(); err != nil {
				return err
			}
			return row.err
		})
		if sasl.ClassOf(err) != sasl.ErrAuthentication || asked != row.inSync || (conn.times == 0) != row.inSync {
			t.Errorf("%s: %v, asked %t, closed %d times", row.name, err, asked, conn.times)
		}
	}
}

// TestNilFailure shows that a nil *Failure inside an error is a fault of the loop,
// and not a success.
func TestNilFailure(t *testing.T) {
	for name, nothing := range map[string]error{"bare": (*sasl.Failure)(nil), "joined": errors.Join((*sasl.Failure)(nil))} {
		var conn closer
		_, err := plainClient("tanstaaf").Drive(t.Context(), &conn, plainServer, func(s *sasl.Session) error {
			if _, _, err := s.Start(); err != nil {
				return err
			}
			return nothing
		})
		if sasl.ClassOf(err) != sasl.ErrConfig || !strings.Contains(err.Error(), "nil *Failure") || conn.times != 1 {
			t.Errorf("%s: %v, closed %d times", name, err, conn.times)
		}
	}
}

// TestUnknownCondition shows that the client also finds a secret of which one part is
// in an unknown condition and the other part is in the text.
func TestUnknownCondition(t *testing.T) {
	var trace strings.Builder
	client := plainClient("hunter2-Secret")
	client.Trace = func(e sasl.Event) { fmt.Fprintln(&trace, e) }
	_, err := client.Authenticate(t.Context(), &answering{err: &sasl.Failure{Condition: "hunter2-S", Text: "ecret"}}, plainServer)
	if sasl.ClassOf(err) != sasl.ErrAuthentication || !strings.Contains(err.Error(), "withheld") {
		t.Error(err)
	}
	checkSilent(t, "error and trace", err.Error()+trace.String(), "hunter2-S")
	_, err = client.Authenticate(t.Context(), &answering{err: &sasl.Failure{Condition: "hunter2-Secret", Text: "hunter2-Secret"}}, plainServer)
	checkSilent(t, "the secret in both", err.Error()+trace.String(), "hunter2-S")
}

// TestPasswordOfSCRAMInWords shows that the client withholds the password, which a
// server may know and repeat although the client did not send the password.
func TestPasswordOfSCRAMInWords(t *testing.T) {
	var trace strings.Builder
	client := rfc7677Client("pencil")
	client.Trace = func(e sasl.Event) { fmt.Fprintln(&trace, e) }
	loop := func(s *sasl.Session) error {
		if _, _, err := s.Start(); err != nil {
			return err
		}
		if _, err := s.Respond([]byte(rfc7677ServerFirst)); err != nil {
			return err
		}
		return &sasl.Failure{Condition: sasl.NotAuthorized, Text: "the password is pencil"}
	}
	_, err := client.Drive(t.Context(), new(closer), scramServer, loop)
	if sasl.ClassOf(err) != sasl.ErrAuthentication || !strings.Contains(err.Error(), "withheld") || strings.Contains(trace.String(), "password is") {
		t.Errorf("%v\n%s", err, trace.String())
	}
}

// TestWrappedRefusalAfterFailure shows the same for a refusal that follows the
// mechanism's own failure.
func TestWrappedRefusalAfterFailure(t *testing.T) {
	refusal := &sasl.Failure{Condition: sasl.NotAuthorized}
	for _, row := range []struct {
		err    error
		inSync bool
	}{{refusal, true}, {fmt.Errorf("%w: more follows: %w", sasl.ErrProtocol, refusal), false}} {
		conn, asked := closer{}, false
		client := sasl.Client{
			Mechanisms: []sasl.Mechanism{failsLater{fmt.Errorf("%w: the mechanism failed", sasl.ErrAuthentication)}},
			Retry:      func(context.Context, error) *sasl.Client { asked = true; return nil },
		}
		_, err := client.Drive(t.Context(), &conn, sasl.ServerInfo{Secure: true, Mechanisms: []string{"X-FAILS"}}, func(s *sasl.Session) error {
			if _, _, err := s.Start(); err != nil {
				return err
			}
			s.Respond([]byte("x"))
			return row.err
		})
		if err == nil || asked != row.inSync || (conn.times == 0) != row.inSync {
			t.Errorf("%v: %v, asked %t, closed %d times", row.err, err, asked, conn.times)
		}
	}
}
