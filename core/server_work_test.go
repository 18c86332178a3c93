package sasl_test

import (
	"context"
	"crypto/fips140"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// recordServer has a user with a SCRAM record of SHA-256.
func recordServer(t *testing.T) (server *sasl.Server, lookups *int) {
	record := derive(t, sasl.SHA256, "pencil")
	lookups = new(int)
	lookup := func(_ context.Context, h sasl.Hash, username string) (*sasl.SCRAMRecord, error) {
		*lookups++
		switch {
		case username == "down":
			return nil, errors.New("the store is down")
		case username == "user" && h == sasl.SHA256:
			return record, nil
		}
		return nil, nil
	}
	return &sasl.Server{
		Key: sasl.NewSecret("0123456789abcdef"),
		Mechanisms: []sasl.ServerMechanism{
			sasl.PlainRecordServer(lookup, sasl.SHA512, sasl.SHA256), sasl.SCRAMServer(sasl.SHA256, lookup),
		},
	}, lookups
}

func plainTo(ctx context.Context, t *testing.T, server *sasl.Server, message string) error {
	t.Helper()
	session, err := server.Begin(ctx, sasl.ConnInfo{Secure: true}, "PLAIN")
	if err != nil {
		t.Fatal(err)
	}
	_, done, err := session.Respond(ctx, []byte(message))
	if done != (err == nil) {
		t.Errorf("done %t with %v", done, err)
	}
	return err
}

func TestPlainRecordServer(t *testing.T) {
	server, lookups := recordServer(t)
	for _, row := range []struct {
		name, message string
		class         sasl.Class
	}{
		{"right", "\x00user\x00pencil", ""},
		{"right after SASLprep", "\x00user\x00pen\u00adcil", ""},
		{"wrong", "\x00user\x00pencils", sasl.ErrAuthentication},
		{"wrong after SASLprep", "\x00user\x00pen\u00adcils", sasl.ErrAuthentication},
		{"cannot be prepared", "\x00user\x00\u0007", sasl.ErrAuthentication},
		{"prepared to nothing", "\x00user\x00\u00ad", sasl.ErrAuthentication},
		{"no such user", "\x00nobody\x00pencil", sasl.ErrAuthentication},
		{"the store is down", "\x00down\x00pencil", sasl.ErrTemporary},
		{"another identity", "admin\x00user\x00pencil", sasl.ErrAuthorization},
	} {
		*lookups = 0
		if err := plainTo(t.Context(), t, server, row.message); sasl.ClassOf(err) != row.class {
			t.Errorf("%s: %v", row.name, err)
		}
		if row.class != sasl.ErrTemporary && *lookups != 2 {
			t.Errorf("%s: %d lookups, want one for each hash", row.name, *lookups)
		}
	}
	without := sasl.Server{Mechanisms: []sasl.ServerMechanism{sasl.PlainRecordServer(nil)}}
	if offer := without.Offer(sasl.ConnInfo{Secure: true}); offer != nil {
		t.Errorf("without a hash: %q", offer)
	}
}

// TestForbiddenHash shows that a hash that FIPS 140 forbids does not distinguish a user
// who does not exist from one with a wrong password.
func TestForbiddenHash(t *testing.T) {
	record := derive(t, sasl.SHA256, "pencil")
	lookup := func(_ context.Context, h sasl.Hash, username string) (*sasl.SCRAMRecord, error) {
		if h != sasl.SHA256 || username != "user" {
			return nil, nil
		}
		return record, nil
	}
	server := &sasl.Server{Mechanisms: []sasl.ServerMechanism{sasl.PlainRecordServer(lookup, sasl.SHA1, sasl.SHA256)}}
	for message, class := range map[string]sasl.Class{
		"\x00user\x00pencil": "", "\x00user\x00pencils": sasl.ErrAuthentication, "\x00nobody\x00pencil": sasl.ErrAuthentication,
	} {
		if err := plainTo(t.Context(), t, server, message); sasl.ClassOf(err) != class {
			t.Errorf("%q: %v", message, err)
		}
	}
	server.Mechanisms[0] = sasl.PlainRecordServer(lookup, sasl.SHA1)
	if offer := server.Offer(sasl.ConnInfo{Secure: true}); (offer == nil) != fips140.Enforced() {
		t.Errorf("with SHA-1 alone: %q", offer)
	}
}

// TestUnknownUserCostsTheSame: an ended context shows that a derivation begins, for
// a user who exists and for one who does not.
func TestUnknownUserCostsTheSame(t *testing.T) {
	server, _ := recordServer(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, name := range []string{"user", "nobody"} {
		if err := plainTo(ended, t, server, "\x00"+name+"\x00pencil"); sasl.ClassOf(err) != sasl.ErrConnection || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := (sasl.StoredRecords{}).CheckUnknown(ended, sasl.SHA256, sasl.NewSecret("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("CheckUnknown: %v", err)
	}
	if err := (sasl.StoredRecords{}).CheckUnknown(t.Context(), sasl.SHA256, sasl.NewSecret("x")); sasl.ClassOf(err) != sasl.ErrAuthentication {
		t.Errorf("CheckUnknown: %v", err)
	}
	tooMany := sasl.StoredRecords{Iterations: sasl.MaxStoredIterations + 1}
	if err := tooMany.CheckUnknown(t.Context(), sasl.SHA256, sasl.NewSecret("x")); sasl.ClassOf(err) != sasl.ErrConfig {
		t.Errorf("CheckUnknown with too many iterations: %v", err)
	}
}

// TestFirstAnswerCostsTheSame: SCRAM's first answer takes as many allocations for a
// user who exists as for one who does not, because both get a record made up.
func TestFirstAnswerCostsTheSame(t *testing.T) {
	server, _ := recordServer(t)
	allocations := func(username string) float64 {
		return testing.AllocsPerRun(20, func() {
			session, err := server.Begin(t.Context(), sasl.ConnInfo{Secure: true}, "SCRAM-SHA-256")
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := session.Respond(t.Context(), []byte("n,,n="+username+",r=abc")); err != nil {
				t.Fatal(err)
			}
		})
	}
	if known, unknown := allocations("user"), allocations("nope"); known != unknown {
		t.Errorf("%.0f allocations for a user, %.0f for nobody", known, unknown)
	}
}

// TestLongPasswordIsNotPrepared: SASLprep makes eighteen characters of this one. A
// password over 4 KiB goes to the check as it came, and only once.
func TestLongPasswordIsNotPrepared(t *testing.T) {
	for octets, checks := range map[int]int{4095: 2, 4098: 1} {
		got := 0
		server := &sasl.Server{Mechanisms: []sasl.ServerMechanism{sasl.PlainServer(func(context.Context, string, sasl.Secret) error {
			got++
			return sasl.ErrAuthentication
		})}}
		if err := plainTo(t.Context(), t, server, "\x00user\x00"+strings.Repeat("\ufdfa", octets/3)); sasl.ClassOf(err) != sasl.ErrAuthentication {
			t.Error(err)
		}
		if got != checks {
			t.Errorf("%d octets: %d checks, want %d", octets, got, checks)
		}
	}
}

// TestRecordsOfSeveralHashes shows that the first record decides, and that a lookup
// that refuses a user counts as no record.
func TestRecordsOfSeveralHashes(t *testing.T) {
	first, second := derive(t, sasl.SHA512, "pencil"), derive(t, sasl.SHA256, "another")
	refusal := sasl.ErrAuthentication
	server := &sasl.Server{Mechanisms: []sasl.ServerMechanism{sasl.PlainRecordServer(func(_ context.Context, h sasl.Hash, username string) (*sasl.SCRAMRecord, error) {
		switch {
		case username == "locked":
			return first, refusal
		case h == sasl.SHA512:
			return first, nil
		}
		return second, nil
	}, sasl.SHA512, sasl.SHA256)}}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, row := range []struct {
		ctx     context.Context
		message string
		class   sasl.Class
	}{
		{t.Context(), "\x00user\x00pencil", ""},
		{t.Context(), "\x00user\x00another", sasl.ErrAuthentication},
		{t.Context(), "\x00locked\x00pencil", sasl.ErrAuthentication},
		{ended, "\x00locked\x00pencil", sasl.ErrConnection}, // a derivation begins
	} {
		if err := plainTo(row.ctx, t, server, row.message); sasl.ClassOf(err) != row.class {
			t.Errorf("%q: %v", row.message, err)
		}
	}
}

// TestSaltSize shows that the salt of a made-up record has the size of the stored
// records, and that an impossible size is an error for every user.
func TestSaltSize(t *testing.T) {
	for size, want := range map[int]int{0: 16, 24: 24, 1 << 20: -1, -1: -1} {
		server, _ := recordServer(t)
		server.Stored.SaltSize = size
		for _, name := range []string{"nobody", "user"} {
			session, err := server.Begin(t.Context(), sasl.ConnInfo{Secure: true}, "SCRAM-SHA-256")
			if want < 0 {
				plain := plainTo(t.Context(), t, server, "\x00"+name+"\x00pencil")
				if sasl.ClassOf(err) != sasl.ErrConfig || sasl.ClassOf(plain) != sasl.ErrConfig {
					t.Errorf("%d octets for %s: %v, and with PLAIN %v", size, name, err, plain)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			answer, _, err := session.Respond(t.Context(), []byte("n,,n="+name+",r=abc"))
			_, rest, _ := strings.Cut(string(answer), ",s=")
			salt, _, _ := strings.Cut(rest, ",")
			octets, decodeErr := base64.StdEncoding.DecodeString(salt)
			if err != nil || decodeErr != nil || name == "nobody" && len(octets) != want {
				t.Errorf("%d octets for %s: %q, %v", size, name, answer, err)
			}
		}
	}
}
