package sasl_test

import (
	"context"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// kitConn is a connection of TLS 1.2, which has every type of binding.
var kitConn = sasl.ConnInfo{
	Service: "xmpp", Host: "example.org", Secure: true, TLSVersion: 0x0303,
	Bindings: []sasl.ChannelBinding{exporter, endPoint, unique},
}

const kitPassword = "hunter2-Secret"

// TestMechanisms runs the kit for authors of mechanisms over every mechanism.
func TestMechanisms(t *testing.T) {
	right, wrong := sasl.Password("user", kitPassword), sasl.Password("user", "another-Secret")
	records := make(map[sasl.Hash]*sasl.SCRAMRecord)
	for _, h := range hashes {
		records[h], _ = sasl.DeriveSCRAM(t.Context(), h, kitPassword, []byte("0123456789abcdef"), 4096) // nil if FIPS 140 forbids it
	}
	lookup := func(_ context.Context, h sasl.Hash, name string) (*sasl.SCRAMRecord, error) {
		if name != "user" {
			return nil, nil
		}
		return records[h], nil
	}
	for _, k := range []sasltest.MechanismKit{
		{Mechanism: sasl.Plain(right.ActingAs("user")), Wrong: sasl.Plain(wrong), Server: serverOf(sasl.PlainServer(func(_ context.Context, name string, password sasl.Secret) error {
			if name != "user" || string(password.Bytes()) != kitPassword {
				return sasl.ErrAuthentication
			}
			return nil
		})), Secrets: []string{kitPassword}, Username: "user", Authzid: "user"},
		{Mechanism: sasl.Anonymous("sirhc"), Server: serverOf(sasl.AnonymousServer(func(context.Context, string) (string, error) {
			return "guest", nil
		})), Username: "guest"},
		{Mechanism: sasl.External("user"), Wrong: sasl.External("root"), Server: serverOf(sasl.ExternalServer(func(_ context.Context, peer any) (string, error) {
			return peer.(string), nil
		})), Username: "user", Authzid: "user"},
	} {
		t.Run(k.Mechanism.Name(), func(t *testing.T) {
			k.Conn = kitConn
			k.Conn.Peer = "user"
			sasltest.TestMechanism(t, k)
		})
	}
	for _, h := range hashes {
		for _, k := range []sasltest.MechanismKit{
			{Mechanism: sasl.SCRAM(h, right), Wrong: sasl.SCRAM(h, wrong), Server: serverOf(sasl.SCRAMServer(h, lookup))},
			{Mechanism: sasl.SCRAMPlus(h, right), Wrong: sasl.SCRAMPlus(h, wrong), Server: serverOf(sasl.SCRAMPlusServer(h, lookup))},
		} {
			t.Run(k.Mechanism.Name(), func(t *testing.T) {
				t.Parallel()
				k.Conn, k.Secrets, k.Username = kitConn, []string{kitPassword}, "user"
				sasltest.TestMechanism(t, k)
			})
		}
	}
}

func serverOf(m sasl.ServerMechanism) *sasl.Server {
	return &sasl.Server{Key: serverKey, Mechanisms: []sasl.ServerMechanism{m}}
}

// tokenKind declares BindsAlways for a mechanism for tokens, because only
// Client.Tokens knows the binding of each such mechanism.
type tokenKind struct {
	sasl.Mechanism
	binds sasl.Binds
}

func (m tokenKind) Properties() sasl.Properties {
	return sasl.Properties{KeepsSecret: true, ProvesServer: true, Binds: m.binds}
}

// TestTokenMechanisms runs the kit for authors of mechanisms over the mechanisms that
// log in with a token. A Client makes these mechanisms from its store.
func TestTokenMechanisms(t *testing.T) {
	other := sasl.NewSecret("secret-token:another-Oeie4nmlUoLHXca_YhkjwkEBgCEKKHKCArT8")
	for _, kind := range []string{"EXPR", "ENDP", "UNIQ", "NONE"} {
		held := token(kind)
		wrong := held
		wrong.Secret = other
		store := fixed{held}
		conn, binds := kitConn, sasl.BindsAlways
		conn.Bindings = []sasl.ChannelBinding{map[string]sasl.ChannelBinding{"EXPR": exporter, "ENDP": endPoint, "UNIQ": unique, "NONE": exporter}[kind]}
		if kind == "NONE" {
			binds = sasl.BindsNever
		}
		t.Run(held.Mechanism, func(t *testing.T) {
			sasltest.TestMechanism(t, sasltest.MechanismKit{
				Mechanism: tokenKind{sasl.HashedToken(held.Mechanism, "user", held), binds},
				Wrong:     tokenKind{sasl.HashedToken(held.Mechanism, "user", wrong), binds},
				Server:    serverOf(sasl.HashedTokenServer(held.Mechanism, store, usedByPhone)),
				Conn:      conn, Secrets: []string{tokenText}, Username: "user",
			})
		})
	}
}
