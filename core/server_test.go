package sasl_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

var serverKey = sasl.NewSecret("0123456789abcdef")

// scramStore has one user with one record.
func scramStore(t *testing.T, username string, record *sasl.SCRAMRecord) sasl.SCRAMLookup {
	return func(_ context.Context, h sasl.Hash, name string) (*sasl.SCRAMRecord, error) {
		if name != username {
			return nil, nil
		}
		return record, nil
	}
}

func derive(t *testing.T, h sasl.Hash, password string) *sasl.SCRAMRecord {
	t.Helper()
	record, err := sasl.DeriveSCRAM(t.Context(), h, password, []byte("0123456789abcdef"), 4096)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

func accept(context.Context, string, sasl.Secret) error { return nil }

// TestOffer shows the offered mechanisms for each connection, and that Begin refuses
// all other mechanisms.
func TestOffer(t *testing.T) {
	server := &sasl.Server{
		Key: serverKey,
		Mechanisms: []sasl.ServerMechanism{
			sasl.SCRAMPlusServer(sasl.SHA256, scramStore(t, "user", nil)),
			sasl.SCRAMServer(sasl.SHA256, scramStore(t, "user", nil)),
			sasl.PlainServer(accept),
			sasl.ExternalServer(func(context.Context, any) (string, error) { return "user", nil }),
			sasl.AnonymousServer(func(context.Context, string) (string, error) { return "guest", nil }),
		},
	}
	insecure := *server
	insecure.Insecure = []string{"SCRAM-SHA-256"}
	bindings := []sasl.ChannelBinding{exporter}
	for _, row := range []struct {
		name   string
		server *sasl.Server
		conn   sasl.ConnInfo
		want   []string
	}{
		{"before TLS", server, sasl.ConnInfo{}, []string{"ANONYMOUS"}},
		{"before TLS, with an exception", &insecure, sasl.ConnInfo{}, []string{"SCRAM-SHA-256", "ANONYMOUS"}},
		{"nothing to bind to", server, sasl.ConnInfo{Secure: true}, []string{"SCRAM-SHA-256", "PLAIN", "EXTERNAL", "ANONYMOUS"}},
		{"everything", server, sasl.ConnInfo{Secure: true, Bindings: bindings}, []string{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "EXTERNAL", "ANONYMOUS"}},
	} {
		got := row.server.Offer(row.conn)
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
		for _, name := range []string{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "EXTERNAL", "ANONYMOUS", "LOGIN", "plain", ""} {
			_, err := row.server.Begin(t.Context(), row.conn, name)
			if offered := slices.Contains(row.want, name); offered != (err == nil) || err != nil && !errors.Is(err, sasl.ErrPolicy) {
				t.Errorf("%s: Begin(%q): %v", row.name, name, err)
			}
		}
	}
}

// TestServerKeyIsMandatory shows that SCRAM needs Server.Key. Without the key, the
// salts would reveal which users exist.
func TestServerKeyIsMandatory(t *testing.T) {
	server := &sasl.Server{Mechanisms: []sasl.ServerMechanism{sasl.SCRAMServer(sasl.SHA256, scramStore(t, "user", nil))}}
	for _, key := range []sasl.Secret{{}, sasl.NewSecret("0123456789abcde")} {
		server.Key = key
		if _, err := server.Begin(t.Context(), sasl.ConnInfo{Secure: true}, "SCRAM-SHA-256"); sasl.ClassOf(err) != sasl.ErrConfig {
			t.Error(err)
		}
	}
}

// TestUnknownUser shows that a client cannot distinguish an unknown user, or a user
// without a record for the hash, from a user with another password. The salt is the
// same each time and for both mechanisms of the hash, and has the stored size. The
// count is the stored count, and the same refusal comes at the same step.
func TestUnknownUser(t *testing.T) {
	otherHash := derive(t, sasl.SHA512, "pencil")
	lookup := func(ctx context.Context, h sasl.Hash, name string) (*sasl.SCRAMRecord, error) {
		switch name {
		case "user":
			return derive(t, h, "pencil"), nil
		case "other":
			return otherHash, nil
		case "absent":
			return nil, sasl.ErrAuthentication
		}
		return nil, nil
	}
	server := &sasl.Server{
		Key:    serverKey,
		Stored: sasl.StoredRecords{Iterations: 4096, SaltSize: 16},
		Mechanisms: []sasl.ServerMechanism{
			sasl.SCRAMServer(sasl.SHA256, lookup), sasl.SCRAMPlusServer(sasl.SHA256, lookup)},
	}
	server.SetNonce("server")
	conn := sasl.ConnInfo{Secure: true, Bindings: []sasl.ChannelBinding{exporter}}
	first := func(mechanism, header, user string) (*sasl.ServerSession, string) {
		session, err := server.Begin(t.Context(), conn, mechanism)
		if err != nil {
			t.Fatal(err)
		}
		challenge, _, err := session.Respond(t.Context(), []byte(header+"n="+user+",r=client"))
		if err != nil {
			t.Fatal(err)
		}
		return session, string(challenge)
	}
	final := []byte("c=biws,r=clientserver,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
	_, known := first("SCRAM-SHA-256", "n,,", "user")
	seen := map[string]bool{}
	for _, user := range []string{"user", "other", "absent", "nobody"} {
		session, challenge := first("SCRAM-SHA-256", "n,,", user)
		_, again := first("SCRAM-SHA-256", "n,,", user)
		_, plus := first("SCRAM-SHA-256-PLUS", "p=tls-exporter,,", user)
		if challenge != again || challenge != plus {
			t.Errorf("%s: %q, then %q, with -PLUS %q", user, challenge, again, plus)
		}
		if len(challenge) != len(known) || !strings.HasSuffix(challenge, ",i=4096") || seen[challenge] {
			t.Errorf("%s: %q does not look like %q", user, challenge, known)
		}
		seen[challenge] = true
		told, done, err := session.Respond(t.Context(), final)
		if string(told) != "e=invalid-proof" || done || err != nil {
			t.Errorf("%s: %q, %t, %v", user, told, done, err)
		}
		if _, _, err := session.Respond(t.Context(), []byte{}); err == nil || err.Error() != "authentication error: SCRAM: the proof is wrong" {
			t.Errorf("%s: %v", user, err)
		}
	}
}

// TestFlagsAtServer tests the rows of RFC 5802 s6 that the vectors do not contain.
func TestFlagsAtServer(t *testing.T) {
	lookup := scramStore(t, "user", nil)
	server := &sasl.Server{Key: serverKey, Mechanisms: []sasl.ServerMechanism{
		sasl.SCRAMServer(sasl.SHA256, lookup), sasl.SCRAMPlusServer(sasl.SHA256, lookup)}}
	bound := sasl.ConnInfo{Secure: true, Bindings: []sasl.ChannelBinding{exporter}}
	for _, row := range []struct {
		conn            sasl.ConnInfo
		message, answer string
		class           sasl.Class
	}{
		{bound, "y,,n=user,r=x", "e=server-does-support-channel-binding", sasl.ErrSecurity},
		{bound, "p=tls-exporter,,n=user,r=x", "e=channel-binding-not-supported", sasl.ErrProtocol},
		{sasl.ConnInfo{Secure: true}, "y,,n=user,r=x", "", ""},
	} {
		session, err := server.Begin(t.Context(), row.conn, "SCRAM-SHA-256")
		if err != nil {
			t.Fatal(err)
		}
		answer, _, err := session.Respond(t.Context(), []byte(row.message))
		if row.class == "" {
			if !strings.HasPrefix(string(answer), "r=x") || err != nil {
				t.Errorf("%q: %q, %v", row.message, answer, err)
			}
			continue
		}
		_, _, refusal := session.Respond(t.Context(), []byte{})
		if string(answer) != row.answer || err != nil || sasl.ClassOf(refusal) != row.class {
			t.Errorf("%q: %q, %v, then %v", row.message, answer, err, refusal)
		}
	}
}

// TestServerSessionEnds shows that a session has an end, and that no message follows
// the end.
func TestServerSessionEnds(t *testing.T) {
	server := &sasl.Server{Key: serverKey, Mechanisms: []sasl.ServerMechanism{
		sasl.PlainServer(accept), sasl.SCRAMServer(sasl.SHA256, scramStore(t, "user", derive(t, sasl.SHA256, "pencil")))}}
	begin := func(name string) *sasl.ServerSession {
		session, err := server.Begin(t.Context(), sasl.ConnInfo{Secure: true}, name)
		if err != nil {
			t.Fatal(err)
		}
		return session
	}
	session := begin("PLAIN")
	if _, done, err := session.Respond(t.Context(), []byte("\x00u\x00p")); !done || err != nil {
		t.Fatal(done, err)
	}
	if _, done, err := session.Respond(t.Context(), []byte("\x00u\x00p")); done || sasl.ClassOf(err) != sasl.ErrProtocol {
		t.Errorf("after the end: %t, %v", done, err)
	}
	if _, _, err := begin("PLAIN").Respond(t.Context(), []byte("\x00u\x00"+strings.Repeat("p", 64<<10-2))); sasl.ClassOf(err) != sasl.ErrProtocol {
		t.Errorf("a message that is too long: %v", err)
	}
	if _, done, err := begin("PLAIN").Respond(t.Context(), []byte("\x00u\x00"+strings.Repeat("p", 64<<10-3))); !done || err != nil {
		t.Errorf("the longest message: %v", err)
	}
	for name, message := range map[string]string{
		"no password": "\x00u\x00", "no username": "\x00\x00p", "no UTF-8 in the password": "\x00u\x00p\xff", "four parts": "\x00u\x00p\x00q",
	} {
		if _, done, err := begin("PLAIN").Respond(t.Context(), []byte(message)); done || sasl.ClassOf(err) != sasl.ErrProtocol {
			t.Errorf("%s: done %t, %v", name, done, err)
		}
	}
	// The last challenge needs an empty response.
	session = begin("SCRAM-SHA-256")
	client := rfc7677Client("pencil")
	ours, err := client.Begin(t.Context(), scramServer)
	if err != nil {
		t.Fatal(err)
	}
	_, message, _ := ours.Start()
	for range 2 {
		challenge, _, err := session.Respond(t.Context(), message)
		if err != nil {
			t.Fatal(err)
		}
		if message, err = ours.Respond(challenge); err != nil {
			t.Fatal(err)
		}
	}
	if _, done, err := session.Respond(t.Context(), []byte("x")); done || sasl.ClassOf(err) != sasl.ErrProtocol {
		t.Errorf("a last response that is not empty: %t, %v", done, err)
	}
}
