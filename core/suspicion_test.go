package sasl_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// closer counts the calls of Close.
type closer struct{ times int }

func (c *closer) Close() error { c.times++; return nil }

// TestSuspicionStays shows that an ErrSecurity in the error of a foreign loop is the
// outcome, regardless of the wrapping error, and even if the text is withheld. No
// second attempt follows the ErrSecurity.
func TestSuspicionStays(t *testing.T) {
	const password = "correct horse"
	refusal := &sasl.Failure{Condition: sasl.NotAuthorized}
	for name, err := range map[string]error{
		"around a refusal":            fmt.Errorf("%w: %w", sasl.ErrSecurity, refusal),
		"beside a refusal":            errors.Join(refusal, sasl.ErrSecurity),
		"in a refusal":                &sasl.Failure{Condition: sasl.NotAuthorized, Err: sasl.ErrSecurity},
		"the class of one":            &sasl.Failure{Class: sasl.ErrSecurity},
		"in one that echoes":          &sasl.Failure{Text: password, Err: sasl.ErrSecurity},
		"around one that echoes":      fmt.Errorf("%w: %w", sasl.ErrSecurity, &sasl.Failure{Text: password}),
		"behind another, that echoes": fmt.Errorf("%w: %s: %w", sasl.ErrProtocol, password, sasl.ErrSecurity),
	} {
		conn, retried := closer{}, false
		client := sasl.Client{
			Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("alice", password))},
			Retry:      func(context.Context, error) *sasl.Client { retried = true; return nil },
		}
		_, got := client.Drive(t.Context(), &conn, sasl.ServerInfo{Mechanisms: []string{"PLAIN"}, Secure: true}, func(s *sasl.Session) error {
			if _, _, err := s.Start(); err != nil {
				return err
			}
			return err
		})
		if !errors.Is(got, sasl.ErrSecurity) || retried || conn.times != 1 {
			t.Errorf("%s: %v; asked for another: %v; closed %d times", name, got, retried, conn.times)
		}
	}
}

// TestSuspicionStartsNoMore starts a Session again after an ErrSecurity. The
// ErrSecurity stays the outcome of the Session.
func TestSuspicionStartsNoMore(t *testing.T) {
	client := sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Anonymous("")}}
	_, err := client.Drive(t.Context(), io.NopCloser(nil), sasl.ServerInfo{Mechanisms: []string{"ANONYMOUS"}}, func(s *sasl.Session) error {
		if _, _, err := s.Start(); err != nil {
			return err
		}
		if err := s.Finish([]byte("data that ANONYMOUS does not have")); err == nil {
			t.Error("ANONYMOUS takes data with success")
		}
		_, _, err := s.Start()
		return err
	})
	if err == nil || errors.Is(err, sasl.ErrConfig) {
		t.Errorf("the second start is the outcome: %v", err)
	}
}

// TestLostConnection joins a refusal with the loss of the connection: no attempt on
// this connection follows.
func TestLostConnection(t *testing.T) {
	conn, retried := closer{}, false
	client := sasl.Client{
		Mechanisms: []sasl.Mechanism{sasl.Anonymous("")},
		Retry:      func(context.Context, error) *sasl.Client { retried = true; return nil },
	}
	_, err := client.Drive(t.Context(), &conn, sasl.ServerInfo{Mechanisms: []string{"ANONYMOUS"}}, func(s *sasl.Session) error {
		if _, _, err := s.Start(); err != nil {
			return err
		}
		return errors.Join(&sasl.Failure{Condition: sasl.NotAuthorized}, sasl.ErrConnection)
	})
	if !errors.Is(err, sasl.ErrAuthentication) || retried || conn.times != 1 {
		t.Errorf("%v; asked for another: %v; closed %d times", err, retried, conn.times)
	}
}

// TestEchoOfEarlierAttempt repeats a secret of the first attempt in the server's
// answer to the second attempt.
func TestEchoOfEarlierAttempt(t *testing.T) {
	const first = "correct horse"
	client := func(password string) *sasl.Client {
		return &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("alice", password))}}
	}
	c, texts := client(first), []string{"no", "still no, not with correct horse"}
	c.Retry = func(context.Context, error) *sasl.Client { return client("battery staple") }
	_, err := c.Drive(t.Context(), io.NopCloser(nil), sasl.ServerInfo{Mechanisms: []string{"PLAIN"}, Secure: true}, func(s *sasl.Session) error {
		if len(texts) == 0 {
			return errors.New("no third attempt is scripted")
		}
		text := texts[0]
		texts = texts[1:]
		if _, _, err := s.Start(); err != nil {
			return err
		}
		if len(texts) == 0 {
			c.Retry = nil
		}
		return &sasl.Failure{Condition: sasl.NotAuthorized, Text: text}
	})
	var refusal *sasl.Failure
	if !errors.As(err, &refusal) || refusal.Text != "(withheld: it repeats a secret)" {
		t.Errorf("%v", err)
	}
}
