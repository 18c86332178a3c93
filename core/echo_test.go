package sasl_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestEchoesAreWithheld shows that no error and no trace contains the password, the
// message or the proof, even if the server repeats them in its text, in its own
// error, in a condition, in a challenge or in a text about the connection.
func TestEchoesAreWithheld(t *testing.T) {
	const password = "pencil-\"5a?>~>\""
	message := "\x00tim\x00" + password
	encoded := base64.StdEncoding.EncodeToString([]byte(message))
	// The end of the message in the other alphabet: what stands before and after
	// the "-" is too short to be looked for alone.
	const alphabet = "VhPz5-PiI="
	if !strings.HasSuffix(base64.URLEncoding.EncodeToString([]byte(message)), alphabet) {
		t.Fatal("the message ends in something else")
	}
	secrets := []string{password, message, encoded, alphabet}
	for name, row := range map[string]struct {
		err   error
		class sasl.Class
	}{
		"text":           {&sasl.Failure{Condition: sasl.NotAuthorized, Text: "no, " + password + " is wrong"}, sasl.ErrAuthentication},
		"base64 in text": {&sasl.Failure{Condition: sasl.MalformedRequest, Text: "unknown: AUTHENTICATE PLAIN " + encoded}, sasl.ErrProtocol},
		"behind the cut": {&sasl.Failure{Condition: sasl.AccountDisabled, Text: strings.Repeat("x", 1000) + password}, sasl.ErrAuthorization},
		"own error":      {&sasl.Failure{Condition: sasl.TemporaryAuthFailure, Err: errors.New("BAD " + encoded)}, sasl.ErrTemporary},
		"condition":      {&sasl.Failure{Condition: sasl.Condition(password)}, sasl.ErrAuthentication},
		"cut base64":     {&sasl.Failure{Condition: sasl.MalformedRequest, Text: "unknown: " + encoded[:12] + "..."}, sasl.ErrProtocol},
		"no padding":     {&sasl.Failure{Condition: sasl.MalformedRequest, Text: "unknown: " + strings.TrimRight(encoded, "=")}, sasl.ErrProtocol},
		"other alphabet": {&sasl.Failure{Condition: sasl.MalformedRequest, Text: alphabet}, sasl.ErrProtocol},
		"goodbye":        {fmt.Errorf("%w: goodbye %s", sasl.ErrConnection, message), sasl.ErrConnection},
		"goodbye within": {fmt.Errorf("%w", &shortened{fmt.Errorf("%w: goodbye %s", sasl.ErrTemporary, message)}), sasl.ErrTemporary},
	} {
		client := plainClient(password)
		var trace strings.Builder
		client.Trace = func(e sasl.Event) { fmt.Fprintln(&trace, e) }
		_, err := client.Drive(t.Context(), io.NopCloser(nil), plainServer, func(s *sasl.Session) error {
			if _, _, err := s.Start(); err != nil {
				return err
			}
			return row.err
		})
		if sasl.ClassOf(err) != row.class {
			t.Errorf("%s: %v", name, err)
		}
		checkSilent(t, name, fmt.Sprintf("%v %+v %#v", err, err, err)+trace.String(), secrets...)
		var failure *sasl.Failure
		if errors.As(err, &failure) {
			checkSilent(t, name+" Failure", fmt.Sprintf("%+v %v", failure, failure.Unwrap()), secrets...)
		}
		if within := (*shortened)(nil); errors.As(err, &within) {
			checkSilent(t, name, fmt.Sprint(within.Unwrap()), secrets...)
		}
	}

	_, proof, _ := strings.Cut(rfc7677ClientFinal, ",p=")
	client := rfc7677Client("pencil")
	var trace strings.Builder
	client.Trace = func(e sasl.Event) { fmt.Fprintln(&trace, e) }
	peer := sasltest.NewPeer(c(rfc7677ClientFirst), s(rfc7677ServerFirst), c(rfc7677ClientFinal), s("e="+proof), abort)
	_, err := client.Authenticate(t.Context(), peer, scramServer)
	if !errors.Is(err, sasl.ErrAuthentication) {
		t.Error(err)
	}
	checkSilent(t, "SCRAM", fmt.Sprintf("%v %+v", err, err)+trace.String(), proof)
	peer = sasltest.NewPeer(c(rfc7677ClientFirst), s(rfc7677ServerFirst), c(rfc7677ClientFinal), s("x="+proof), abort)
	client.Authenticate(t.Context(), peer, scramServer)
	checkSilent(t, "SCRAM challenge", trace.String(), proof)

	// The client does not send the token itself, but the server knows the token.
	withToken, store := tokenClient()
	put(store, tokenAccount, token("EXPR"))
	withToken.Trace = client.Trace
	told := &answering{err: &sasl.Failure{Condition: sasl.TemporaryAuthFailure, Text: "not now: " + tokenText}}
	_, err = withToken.Authenticate(t.Context(), told, tokenSrv)
	checkSilent(t, "token", fmt.Sprintf("%v %+v", err, err)+trace.String(), tokenText)

	// A foreign loop, and a challenge that looks like PLAIN's message.
	session, err := client.Begin(t.Context(), scramServer)
	if err != nil {
		t.Fatal(err)
	}
	session.Start()
	session.Respond([]byte(rfc7677ServerFirst))
	_, err = session.Respond([]byte("e=" + proof))
	checkSilent(t, "Begin", fmt.Sprintf("%v %+v", err, err), proof)
	trace.Reset()
	other := plainClient(password)
	other.Trace = client.Trace
	other.Authenticate(t.Context(), sasltest.NewPeer(c(message), s("a\x00"+password+"\x00b"), abort), plainServer)
	checkSilent(t, "PLAIN challenge", trace.String(), append(secrets, strconv.Quote(password))...)
}

// shortened is an error of an adapter. Its text contains less than the text of the
// wrapped error.
type shortened struct{ error }

func (e *shortened) Error() string   { return "the server says goodbye" }
func (e *shortened) Unwrap() []error { return []error{sasl.ErrTemporary, nil, e.error} }

// TestOwnWordsAreNotWithheld shows that a password that equals a word of this
// package removes no text, and that a password that equals a word of the server
// removes only the server's text.
func TestOwnWordsAreNotWithheld(t *testing.T) {
	refused := &sasl.Failure{Condition: sasl.AccountDisabled, Text: "login failed"}
	for password, text := range map[string]string{
		"refused": "authorization error: refused with account-disabled: login failed",
		"failed":  "authorization error: refused with account-disabled: (withheld: it repeats a secret)",
	} {
		_, err := plainClient(password).Drive(t.Context(), io.NopCloser(nil), plainServer, func(s *sasl.Session) error {
			if _, _, err := s.Start(); err != nil {
				return err
			}
			return refused
		})
		if err == nil || err.Error() != text {
			t.Errorf("%q: %v, want %s", password, err, text)
		}
	}
}
