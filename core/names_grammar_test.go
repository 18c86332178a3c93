package sasl_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// TestNamesInMessages: what a server takes as a gs2-header and as a name in SCRAM
// (RFC 5801 s4, RFC 5802 s5.1), and which name it is.
func TestNamesInMessages(t *testing.T) {
	long, longType := strings.Repeat("a", 1024), strings.Repeat("t", 1024)
	for message, want := range map[string]string{
		"n,,n=user,r=x":                "user",
		"n,,n=us=2Cer=3D,r=x":          "us,er=",
		"n,a=fred,n=user,r=x":          "user fred",
		"n,a=,n=user,r=x":              "e=other-error",
		"n,,n=" + long + ",r=x":        long,
		"n,,n=" + long + "a,r=x":       "e=other-error",
		"n,,n=us=2cer,r=x":             "e=invalid-username-encoding",
		"n,,n=user=,r=x":               "e=invalid-username-encoding",
		"n,,n=us\x00er,r=x":            "e=invalid-encoding",
		"n,a=fr\x00ed,n=user,r=x":      "e=invalid-username-encoding",
		"n,fred,n=user,r=x":            "e=other-error",
		"n,b=fred,n=user,r=x":          "e=other-error",
		"n":                            "e=other-error",
		"n,":                           "e=other-error",
		"n,n=user":                     "e=other-error",
		"N,,n=user,r=x":                "e=other-error",
		"p=,,n=user,r=x":               "e=other-error",
		"p=" + longType + ",,n=u,r=x":  "e=channel-binding-not-supported",
		"p=" + longType + "t,,n=u,r=x": "e=other-error",
		"p=a_b,,n=user,r=x":            "e=other-error",
		"n,,r=x,n=user":                "e=other-error",
		"n,,n=user":                    "e=other-error",
		"n,,n=user,r=x,n=user":         "e=other-error",
		"n,,n=user,r=x y":              "e=other-error",
		"n,,n=user,r=x,=y":             "e=other-error",
		"n,,n=user,r=x,x=" + strings.Repeat("y", 8<<10-len("n,,n=user,r=x,x=")):   "user",
		"n,,n=user,r=x,x=" + strings.Repeat("y", 8<<10-len("n,,n=user,r=x,x=")+1): "e=other-error",
		"n,,n=user,r=x" + strings.Repeat(",x=y", 30):                              "user",
		"n,,n=user,r=x" + strings.Repeat(",x=y", 31):                              "e=other-error",
	} {
		asked := ""
		lookup := func(_ context.Context, _ sasl.Hash, username string) (*sasl.SCRAMRecord, error) {
			asked = username
			return nil, nil
		}
		server := sasl.Server{Key: serverKey, Mechanisms: []sasl.ServerMechanism{sasl.SCRAMServer(sasl.SHA256, lookup)}}
		session := beginServer(t, &server, "SCRAM-SHA-256")
		answer, done, err := session.Respond(t.Context(), []byte(message))
		got := string(answer)
		if strings.HasPrefix(got, "r=x") {
			got = strings.TrimSpace(asked + " " + session.Result().Authzid)
		}
		if got != want || done || err != nil {
			t.Errorf("%.60q: %.60q, done %t, %v, want %.60q", message, got, done, err, want)
		}
	}
}

// TestNamesOfOneMessage: what a client does not send, and what a server does not
// take, in EXTERNAL and ANONYMOUS (RFC 4422 appendix A, RFC 4505 s2).
func TestNamesOfOneMessage(t *testing.T) {
	server := sasl.Server{Mechanisms: []sasl.ServerMechanism{
		sasl.ExternalServer(func(_ context.Context, peer any) (string, error) { return peer.(string), nil }),
		sasl.AnonymousServer(func(context.Context, string) (string, error) { return "guest", nil }),
	}}
	conn := sasl.ConnInfo{Secure: true, Peer: "user"}
	umlauts := strings.Repeat("\u00fc", 255)
	for _, row := range []struct {
		name, message  string
		client, server sasl.Class
	}{
		{"EXTERNAL", "", "", ""},
		{"EXTERNAL", "user", "", ""},
		{"EXTERNAL", "root", "", sasl.ErrAuthorization},
		{"EXTERNAL", "us\x00er", sasl.ErrConfig, sasl.ErrProtocol},
		{"EXTERNAL", "us\xffer", sasl.ErrConfig, sasl.ErrProtocol},
		{"EXTERNAL", strings.Repeat("a", 1025), sasl.ErrConfig, sasl.ErrProtocol},
		{"ANONYMOUS", "", "", ""},
		{"ANONYMOUS", umlauts, "", ""},
		{"ANONYMOUS", umlauts + "u", sasl.ErrConfig, sasl.ErrProtocol},
		{"ANONYMOUS", "a\x07b", sasl.ErrConfig, sasl.ErrProtocol},
		{"ANONYMOUS", "a\xffb", sasl.ErrConfig, sasl.ErrProtocol},
	} {
		m := sasl.External(row.message)
		if row.name == "ANONYMOUS" {
			m = sasl.Anonymous(row.message)
		}
		out, done, err := m.New(sasl.Terms{}).Step(t.Context(), nil)
		if sasl.ClassOf(err) != row.client || done != (err == nil) || err == nil && string(out) != row.message {
			t.Errorf("the client's %s %.20q: %q, done %t, %v", row.name, row.message, out, done, err)
		}
		session, err := server.Begin(t.Context(), conn, row.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, done, err := session.Respond(t.Context(), []byte(row.message)); sasl.ClassOf(err) != row.server || done != (err == nil) {
			t.Errorf("the server's %s %.20q: done %t, %v", row.name, row.message, done, err)
		}
	}
	// The name that the layer below proves has the same grammar, and EXTERNAL needs a
	// name.
	for peer, class := range map[any]sasl.Class{"us\xffer": sasl.ErrProtocol, "": sasl.ErrProtocol, nil: sasl.ErrAuthentication} {
		session, err := server.Begin(t.Context(), sasl.ConnInfo{Secure: true, Peer: peer}, "EXTERNAL")
		if err != nil {
			t.Fatal(err)
		}
		if _, done, err := session.Respond(t.Context(), []byte{}); done || sasl.ClassOf(err) != class {
			t.Errorf("the peer %q: done %t, %v", peer, done, err)
		}
	}
}

// TestNobodyOfPlain: PLAIN needs a username, whatever Canonical
// makes of it. A description of an invalid message shows nothing of it.
func TestNobodyOfPlain(t *testing.T) {
	server := sasl.Server{
		Mechanisms: []sasl.ServerMechanism{sasl.PlainServer(accept)},
		Canonical:  func(name string) (string, error) { return name, nil },
	}
	if _, done, err := beginServer(t, &server, "PLAIN").Respond(t.Context(), []byte("\x00\x00pencil")); done || sasl.ClassOf(err) != sasl.ErrProtocol {
		t.Errorf("done %t, %v", done, err)
	}
	describe := sasl.Plain(pencil).New(sasl.Terms{}).(interface{ Describe([]byte) string }).Describe
	for message, want := range map[string]string{
		"root\x00user\x00pencil": `authzid="root" username="user" password=…`,
		"pencil":                 "malformed",
		"user\x00pencil":         "malformed",
	} {
		if got := describe([]byte(message)); got != want {
			t.Errorf("%q: %s", message, got)
		}
	}
}

// TestCallbackAfterTheContext: an error of a callback after the context has ended
// is the context's, whatever the callback says.
func TestCallbackAfterTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	client := sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(func(context.Context, sasl.Prompt) (sasl.Credential, error) {
		cancel()
		return sasl.Credential{}, errors.New("the window is closed")
	})}}
	session, err := client.Begin(ctx, plainServer)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := session.Start(); sasl.ClassOf(err) != sasl.ErrConnection || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
