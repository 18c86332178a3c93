package sasl_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/internal/stringprep"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestServerTranscripts replays every transcript with the real mechanisms of
// the server.
func TestServerTranscripts(t *testing.T) {
	for _, tr := range sasltest.Transcripts() {
		if tr.Role == sasltest.Client {
			continue
		}
		tr = underFIPS(tr)
		t.Run(tr.Name, func(t *testing.T) { replayServer(t, tr, false) })
		if with, ok := tr.WithSuccessData(); ok {
			t.Run(tr.Name+"/success data", func(t *testing.T) { replayServer(t, with, true) })
		}
	}
}

// serverMechanisms returns a server whose only user is the user of the transcript.
func serverMechanisms(tr *sasltest.Transcript) []sasl.ServerMechanism {
	username, _ := stringprep.Query(tr.Username)
	check := func(_ context.Context, name string, password sasl.Secret) error {
		if name != username || string(password.Bytes()) != tr.Password {
			return sasl.ErrAuthentication
		}
		return nil
	}
	mechanisms := []sasl.ServerMechanism{
		sasl.PlainServer(check),
		sasl.LoginServer(check),
		sasl.CRAMMD5Server(passwordLookup(username, tr.Password)),
		sasl.DigestMD5Server(tr.Realm, passwordLookup(username, tr.Password)),
		sasl.AnonymousServer(func(_ context.Context, trace string) (string, error) {
			if trace != tr.Trace {
				return "", errors.New("another trace")
			}
			return "guest", nil
		}),
		sasl.ExternalServer(func(_ context.Context, peer any) (string, error) { return peer.(string), nil }),
		sasl.OAuthBearerServer(bearerVerifier(tr, username)),
		sasl.XOAuth2Server(bearerVerifier(tr, username)),
	}
	lookup := func(ctx context.Context, h sasl.Hash, name string) (*sasl.SCRAMRecord, error) {
		if name != username {
			return nil, nil
		}
		return sasl.DeriveSCRAM(ctx, h, tr.Password, tr.Salt, tr.Iterations)
	}
	for _, h := range hashes {
		mechanisms = append(mechanisms, sasl.SCRAMServer(h, lookup))
		if strings.HasSuffix(tr.MechanismName, "-PLUS") { // otherwise a y flag would be an attack
			mechanisms = append(mechanisms, sasl.SCRAMPlusServer(h, lookup))
		}
	}
	return mechanisms
}

// passwordLookup knows one user.
func passwordLookup(username, password string) sasl.PasswordLookup {
	return func(_ context.Context, name string) (sasl.Secret, error) {
		if name != username {
			return sasl.Secret{}, nil
		}
		return sasl.NewSecret(password), nil
	}
}

// confirmLists makes a server offer the lists of the transcript, and confirm them.
func confirmLists(server *sasl.Server, conn *sasl.ConnInfo, tr *sasltest.Transcript) {
	server.Mechanisms = slices.DeleteFunc(server.Mechanisms, func(m sasl.ServerMechanism) bool {
		return !slices.Contains(tr.Offered, m.Name())
	})
	conn.Downgrade, conn.TLSVersion = true, tr.TLSVersion
	for _, name := range tr.BindingTypes {
		if name != tr.Binding.Type {
			conn.Bindings = append(conn.Bindings, sasl.ChannelBinding{Type: name, Data: []byte("other")})
		}
	}
}

func replayServer(t *testing.T, tr *sasltest.Transcript, successData bool) {
	t.Parallel()
	server := &sasl.Server{
		Mechanisms:  serverMechanisms(tr),
		SuccessData: successData,
		Key:         sasl.NewSecret("0123456789abcdef"),
	}
	server.SetNonce(tr.ServerNonce)
	if tr.Token != "" {
		username, _ := stringprep.Query(tr.Username)
		server.Tokens = tokenServer(tr, username)
	}
	if tr.Expect == sasltest.Success {
		server.Authorize = func(context.Context, sasl.Identity, sasl.ConnInfo) error { return nil }
	}
	conn := sasl.ConnInfo{Secure: true, Service: "xmpp", Host: "example.org"}
	if tr.Service != "" {
		conn.Service = tr.Service
	}
	if tr.Host != "" {
		conn.Host = tr.Host
	}
	if tr.Binding.Type != "" {
		conn.Bindings = []sasl.ChannelBinding{tr.Binding}
	}
	if tr.Peer != "" {
		conn.Peer = tr.Peer
	}
	if tr.Offered != nil {
		confirmLists(server, &conn, tr)
	}
	session, err := server.BeginWithToken(t.Context(), conn, sasl.TokenUse{ClientID: "phone"}, tr.MechanismName)
	if len(tr.Lines) == 0 {
		if sasl.ClassOf(err) != tr.Expect {
			t.Errorf("class %q, want %q (%v)", sasl.ClassOf(err), tr.Expect, err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	err = converse(t, session, tr.Lines)
	if tr.Expect != sasltest.Success {
		if sasl.ClassOf(err) != tr.Expect {
			t.Errorf("class %q, want %q (%v)", sasl.ClassOf(err), tr.Expect, err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if result := session.Result(); result.Mechanism != tr.MechanismName || result.Authzid != tr.Authzid || result.Binding != tr.Binding.Type {
		t.Errorf("result %+v", result)
	}
}

// converse sends the client's lines to a server's session and compares the answers
// with the server's lines. converse returns the reason for a refusal.
func converse(t *testing.T, session *sasl.ServerSession, lines []sasltest.Line) error {
	t.Helper()
	for i := 0; i+1 < len(lines); i += 2 {
		challenge, done, err := session.Respond(t.Context(), lines[i].Data)
		switch want := lines[i+1]; {
		case err != nil && (want.Op == sasltest.Refuse || want.Op == sasltest.Challenge && sasl.ClassOf(err) == sasl.ErrPolicy):
			return err
		case err != nil:
			t.Errorf("line %d: %v", i+1, err)
			return err
		case done != (want.Op == sasltest.Succeed),
			string(challenge) != string(want.Data),
			(challenge == nil) != (want.Data == nil):
			t.Errorf("line %d: %q, done %t, want %q", i+1, challenge, done, want)
		}
	}
	return nil
}

// TestAbsentInitialResponse shows that a server asks for the client's first message
// with an empty challenge (RFC 4422 s5 item 2a).
func TestAbsentInitialResponse(t *testing.T) {
	for _, tr := range sasltest.Transcripts() {
		serverFirst := []string{"LOGIN", "CRAM-MD5", "DIGEST-MD5"} // the first challenge has a text
		if tr.Role == sasltest.Client || tr.Expect != sasltest.Success || slices.Contains(serverFirst, tr.MechanismName) {
			continue
		}
		t.Run(tr.Name, func(t *testing.T) {
			asked := *underFIPS(tr)
			if len(asked.Lines) > 0 {
				asked.Lines = append([]sasltest.Line{{Op: sasltest.ClientSends}, {Op: sasltest.Challenge, Data: []byte{}}}, asked.Lines...)
			}
			replayServer(t, &asked, false)
		})
	}
}
