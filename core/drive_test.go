package sasl_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

type closeCounter struct{ closed int }

func (c *closeCounter) Close() error { c.closed++; return nil }

// TestDrive shows that the state of the session outranks the library's error.
func TestDrive(t *testing.T) {
	lost := errors.New("the library's own error")
	start := func(s *sasl.Session) { s.Start() }
	for _, row := range []struct {
		name   string
		run    func(*sasl.Session) error
		class  sasl.Class // "" = success
		closed bool
	}{
		{"nil before the proof", func(s *sasl.Session) error { start(s); return nil }, sasl.ErrSecurity, true},
		{"nil without a start", func(s *sasl.Session) error { return nil }, sasl.ErrProtocol, true},
		{"nil after the client-final-message", func(s *sasl.Session) error {
			start(s)
			s.Respond([]byte(rfc7677ServerFirst))
			return nil
		}, sasl.ErrSecurity, true},
		{"nil although the mechanism failed", func(s *sasl.Session) error {
			start(s)
			s.Respond([]byte("r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"))
			return nil
		}, sasl.ErrSecurity, true},
		{"another error although the mechanism failed", func(s *sasl.Session) error {
			start(s)
			s.Respond([]byte("i=1"))
			return lost
		}, sasl.ErrProtocol, true},
		{"a refusal after the mechanism failed", func(s *sasl.Session) error {
			start(s)
			s.Respond([]byte("i=1"))
			return &sasl.Failure{Condition: sasl.Aborted}
		}, sasl.ErrProtocol, false},
		{"a refusal after an attack", func(s *sasl.Session) error {
			start(s)
			s.Respond([]byte("r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"))
			return &sasl.Failure{Condition: sasl.NotAuthorized}
		}, sasl.ErrSecurity, true},
		{"another error", func(s *sasl.Session) error { start(s); return lost }, sasl.ErrConnection, true},
		{"an error before the start", func(s *sasl.Session) error { return lost }, sasl.ErrConfig, false},
		{"an error after success", func(s *sasl.Session) error {
			start(s)
			s.Respond([]byte(rfc7677ServerFirst))
			s.Respond([]byte(rfc7677ServerFinal))
			s.Finish(nil)
			return lost
		}, sasl.ErrConnection, true},
		{"finished twice", func(s *sasl.Session) error {
			start(s)
			s.Respond([]byte(rfc7677ServerFirst))
			s.Respond([]byte(rfc7677ServerFinal))
			s.Finish(nil)
			return s.Finish(nil)
		}, sasl.ErrProtocol, true},
		{"success with data", func(s *sasl.Session) error {
			start(s)
			s.Respond([]byte(rfc7677ServerFirst))
			return s.Finish([]byte(rfc7677ServerFinal))
		}, "", false},
		{"success", func(s *sasl.Session) error {
			start(s)
			s.Respond([]byte(rfc7677ServerFirst))
			s.Respond([]byte(rfc7677ServerFinal))
			return nil
		}, "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			var conn closeCounter
			result, err := rfc7677Client("pencil").Drive(t.Context(), &conn, scramServer, row.run)
			if sasl.ClassOf(err) != row.class || (err == nil) != (row.class == "") {
				t.Errorf("class %q, want %q; %v", sasl.ClassOf(err), row.class, err)
			}
			if row.class != sasl.ErrAuthentication && errors.Is(err, sasl.ErrAuthentication) {
				t.Errorf("%v matches ErrAuthentication too", err)
			}
			if (conn.closed > 0) != row.closed {
				t.Errorf("closed %t, want %t", conn.closed > 0, row.closed)
			}
			if err == nil && (result.Username != "user" || result.Mechanism != "SCRAM-SHA-256") {
				t.Errorf("result %+v", result)
			}
			if started := !strings.Contains(row.name, "start"); err != nil && (result.Mechanism != "SCRAM-SHA-256" || (result.Username == "user") != started) {
				t.Errorf("an error, and the result %+v", result)
			}
		})
	}
}

// TestSessionIsNoForeignClient shows that a Session does not have the methods Start
// and Next of a foreign client. A loop for such clients cannot see success, so the
// loop would believe in success regardless of the server's answers.
func TestSessionIsNoForeignClient(t *testing.T) {
	if _, ok := reflect.TypeFor[*sasl.Session]().MethodByName("Next"); ok {
		t.Error("*Session has a method Next")
	}
}
