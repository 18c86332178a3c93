package sasl_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// TestPasswordIsCheckedOnce: which passwords a server's check is asked about, in
// their order. A second question comes only after a refusal, and only if SASLprep
// makes a difference. It never is about the empty password.
func TestPasswordIsCheckedOnce(t *testing.T) {
	down := errors.New("down")
	for _, row := range []struct {
		name     string
		password string
		answers  []error
		asked    string
		class    sasl.Class
	}{
		{"right", "pencil", []error{nil}, `["pencil"]`, ""},
		{"right as it came", "pen\u00A0cil", []error{nil}, `["pen\u00a0cil"]`, ""},
		{"right once it is prepared", "pen\u00A0cil", []error{sasl.ErrAuthentication, nil}, `["pen\u00a0cil" "pen cil"]`, ""},
		{"wrong, and nothing to prepare", "pencil", []error{sasl.ErrAuthentication, nil}, `["pencil"]`, sasl.ErrAuthentication},
		{"wrong, and SASLprep refuses it", "pencil\U0001F600", []error{sasl.ErrAuthentication, nil}, `["pencil😀"]`, sasl.ErrAuthentication},
		{"wrong, and SASLprep empties it", "\u00AD", []error{sasl.ErrAuthentication, nil}, `["\u00ad"]`, sasl.ErrAuthentication},
		{"wrong both times", "pen\u00A0cil", []error{sasl.ErrAuthentication, sasl.ErrAuthentication}, `["pen\u00a0cil" "pen cil"]`, sasl.ErrAuthentication},
		{"a store that is down", "pen\u00A0cil", []error{down, nil}, `["pen\u00a0cil"]`, sasl.ErrTemporary},
		{"an account that is disabled", "pen\u00A0cil", []error{sasl.ErrAuthorization, nil}, `["pen\u00a0cil"]`, sasl.ErrAuthorization},
		{"a store that goes down", "pen\u00A0cil", []error{sasl.ErrAuthentication, down}, `["pen\u00a0cil" "pen cil"]`, sasl.ErrTemporary},
	} {
		var asked []string
		server := sasl.Server{Mechanisms: []sasl.ServerMechanism{sasl.PlainServer(func(_ context.Context, _ string, password sasl.Secret) error {
			asked = append(asked, string(password.Bytes()))
			return row.answers[len(asked)-1]
		})}}
		_, done, err := beginServer(t, &server, "PLAIN").Respond(t.Context(), []byte("\x00user\x00"+row.password))
		if got := fmt.Sprintf("%q", asked); got != row.asked || done != (row.class == "") || sasl.ClassOf(err) != row.class {
			t.Errorf("%s: asked about %s, done %t, %v", row.name, got, done, err)
		}
	}
}

// TestPlainPasswords: a password that SASLprep empties is no password of a stored
// record, and a client of SCRAM does not use it. PLAIN sends it as it is.
func TestPlainPasswords(t *testing.T) {
	if record, err := sasl.DeriveSCRAM(t.Context(), sasl.SHA256, "\u00AD", nil, 4096); record != nil || sasl.ClassOf(err) != sasl.ErrConfig {
		t.Errorf("a record: %v", err)
	}
	record := derive(t, sasl.SHA256, "pencil")
	for password, class := range map[string]sasl.Class{"pencil": "", "pen\u00ADcil": "", "pencil2": sasl.ErrAuthentication, "": sasl.ErrAuthentication, "\u00AD": sasl.ErrAuthentication, "\x07": sasl.ErrAuthentication} {
		if err := record.Check(t.Context(), sasl.NewSecret(password)); sasl.ClassOf(err) != class {
			t.Errorf("Check of %q: %v", password, err)
		}
	}
	for raw, password := range map[bool]string{false: "\u00AD", true: ""} {
		client := rfc7677Client(password)
		client.SCRAM.RawPassword = raw
		session, err := client.Begin(t.Context(), scramServer)
		if err != nil {
			t.Fatal(err)
		}
		session.Start()
		if response, err := session.Respond([]byte(rfc7677ServerFirst)); response != nil || sasl.ClassOf(err) != sasl.ErrConfig {
			t.Errorf("%q, raw %t: %q, %v", password, raw, response, err)
		}
	}
	if _, initial, err := begin(t, sasl.Plain(sasl.Password("tim", "\u00AD"))).Start(); string(initial) != "\x00tim\x00\u00AD" || err != nil {
		t.Errorf("PLAIN: %q, %v", initial, err)
	}
}

// TestDerivedRecords: the counts and the hashes that a record cannot have.
func TestDerivedRecords(t *testing.T) {
	for iterations, class := range map[int]sasl.Class{1: "", 0: sasl.ErrConfig, -1: sasl.ErrConfig, 10_000_001: sasl.ErrConfig} {
		if _, err := sasl.DeriveSCRAM(t.Context(), sasl.SHA256, "pencil", []byte("0123456789abcdef"), iterations); sasl.ClassOf(err) != class {
			t.Errorf("%d iterations: %v", iterations, err)
		}
	}
	for _, h := range []sasl.Hash{0, sasl.SHA3_512 + 1} {
		if _, err := sasl.DeriveSCRAM(t.Context(), h, "pencil", nil, 4096); sasl.ClassOf(err) != sasl.ErrConfig {
			t.Errorf("the hash %d: %v", h, err)
		}
	}
	record := *derive(t, sasl.SHA256, "pencil")
	for _, iterations := range []int{0, -1, 10_000_001} {
		record.Iterations = iterations
		if err := record.Check(t.Context(), sasl.NewSecret("pencil")); sasl.ClassOf(err) != sasl.ErrTemporary {
			t.Errorf("a stored record of %d iterations: %v", iterations, err)
		}
	}
	one, err1 := sasl.DeriveSCRAM(t.Context(), sasl.SHA256, "pencil", nil, 4096)
	two, err2 := sasl.DeriveSCRAM(t.Context(), sasl.SHA256, "pencil", nil, 4096)
	if err1 != nil || err2 != nil || len(one.Salt) != 16 || slices.Equal(one.Salt, two.Salt) {
		t.Errorf("%v, %v, salts %x and %x", err1, err2, one.Salt, two.Salt)
	}
}

// TestWhoMayActAsWhom: without an Authorize everybody acts as themselves, by
// canonical names. A name that cannot be prepared belongs to no user.
func TestWhoMayActAsWhom(t *testing.T) {
	server := sasl.Server{Mechanisms: []sasl.ServerMechanism{sasl.PlainServer(accept)}}
	long := strings.Repeat("a", 1024)
	for message, class := range map[string]sasl.Class{
		"\x00user\x00pencil":           "",
		"user\x00user\x00pencil":       "",
		"us\u00ADer\x00user\x00pencil": "",
		"root\x00user\x00pencil":       sasl.ErrAuthorization,
		"User\x00user\x00pencil":       sasl.ErrAuthorization,
		"\u00AD\x00user\x00pencil":     sasl.ErrProtocol,
		"\x07\x00user\x00pencil":       sasl.ErrProtocol,
		"\xff\x00user\x00pencil":       sasl.ErrProtocol,
		"\x00us\xffer\x00pencil":       sasl.ErrProtocol,
		"\x00" + long + "\x00pencil":   "",
		"\x00" + long + "a\x00pencil":  sasl.ErrProtocol,
		long + "a\x00user\x00pencil":   sasl.ErrProtocol,
	} {
		_, done, err := beginServer(t, &server, "PLAIN").Respond(t.Context(), []byte(message))
		if sasl.ClassOf(err) != class || done != (class == "") {
			t.Errorf("%.20q: done %t, %v", message, done, err)
		}
	}
}

// TestLoopOfAServer: a login that is refused late is a refusal, and is asked about
// only at the end.
func TestLoopOfAServer(t *testing.T) {
	server := sasl.Server{Mechanisms: []sasl.ServerMechanism{playedAtServer{moves: []move{{out: []byte{}}, {out: []byte("x")}, {done: true}}}}}
	refusal := func(reason error) error { return fmt.Errorf("535 %w", reason) }
	var reported []string
	server.Refused = func(mechanism string, _ sasl.ConnInfo, reason error) {
		reported = append(reported, mechanism+": "+reason.Error())
	}
	for login, class := range map[error]sasl.Class{nil: "", sasl.ErrAuthorization: sasl.ErrAuthorization, errors.New("no mailbox"): sasl.ErrTemporary} {
		asked := 0
		reported = nil
		loop, err := server.Loop(t.Context(), sasl.ConnInfo{Secure: true}, "X-PLAYED", func(sasl.Result) error { asked++; return login }, refusal)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []string{"[]byte(nil)", `[]byte{0x78}`} {
			if challenge, done, err := loop.Next([]byte("y")); fmt.Sprintf("%#v", challenge) != want || done || err != nil || asked > 0 {
				t.Errorf("%d: %#v, done %t, %v, asked %d times", i, challenge, done, err, asked)
			}
		}
		challenge, done, err := loop.Next([]byte("y"))
		if again, done, err := loop.Next([]byte("y")); again != nil || done || err == nil {
			t.Errorf("%v: after the end: %q, done %t, %v", login, again, done, err)
		}
		if challenge != nil || done != (login == nil) || sasl.ClassOf(err) != class || asked != 1 || err != nil && !strings.HasPrefix(err.Error(), "535 ") {
			t.Errorf("%v: %q, done %t, %v, asked %d times", login, challenge, done, err, asked)
		}
		if (len(reported) == 1) != (login != nil) || login != nil && !strings.HasSuffix("535 "+strings.TrimPrefix(reported[0], "X-PLAYED: "), err.Error()) {
			t.Errorf("%v: the record is %q", login, reported)
		}
	}
	if loop, err := server.Loop(t.Context(), sasl.ConnInfo{}, "X-PLAYED", nil, refusal); loop != nil || err == nil || !strings.HasPrefix(err.Error(), "535 ") {
		t.Errorf("not offered: %v", err)
	}
}
