package sasl_test

import (
	"context"
	"encoding/base64"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// rfc7677Server is the server of RFC 7677 s3 with a lookup of its own.
func rfc7677Server(t *testing.T, lookup sasl.SCRAMLookup) *sasl.ServerSession {
	t.Helper()
	server := sasl.Server{Key: serverKey, SuccessData: true, Mechanisms: []sasl.ServerMechanism{sasl.SCRAMServer(sasl.SHA256, lookup)}}
	server.SetNonce("%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0")
	session := beginServer(t, &server, "SCRAM-SHA-256")
	if _, _, err := session.Respond(t.Context(), []byte(rfc7677ClientFirst)); err != nil {
		t.Fatal(err)
	}
	return session
}

// TestProofOfServer: the proof of RFC 7677 s3 is right, one with an octet more or
// less is not, and the right one does not help whom the lookup refuses.
func TestProofOfServer(t *testing.T) {
	salt, err := base64.StdEncoding.DecodeString("W22ZaJ0SNY7soEsUEjb6gQ==")
	if err != nil {
		t.Fatal(err)
	}
	record, err := sasl.DeriveSCRAM(t.Context(), sasl.SHA256, "pencil", salt, 4096)
	if err != nil {
		t.Fatal(err)
	}
	const right = "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
	for name, row := range map[string]struct {
		proof  string
		lookup error
		answer string
	}{
		"right":              {right, nil, rfc7677ServerFinal},
		"an octet more":      {"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQA", nil, "e=invalid-proof"},
		"an octet less":      {"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndQ==", nil, "e=invalid-proof"},
		"a user that is not": {right, sasl.ErrAuthentication, "e=invalid-proof"},
		"no proof":           {"x=y", nil, "e=invalid-proof"},
		"before another":     {right + ",x=y", nil, "e=other-error"},
		"behind an extension, which the proof does not cover": {"x=y," + right, nil, "e=invalid-proof"},
		"behind what has another place":                       {"i=1," + right, nil, "e=other-error"},
	} {
		session := rfc7677Server(t, func(context.Context, sasl.Hash, string) (*sasl.SCRAMRecord, error) { return record, row.lookup })
		final := strings.Replace(rfc7677ClientFinal, right, row.proof, 1)
		answer, done, err := session.Respond(t.Context(), []byte(final))
		if string(answer) != row.answer || done != (row.answer == rfc7677ServerFinal) || err != nil {
			t.Errorf("%s: %q, done %t, %v", name, answer, done, err)
		}
	}
}

// TestLookupThatRefuses: a record that comes together with an ErrAuthentication is
// not shown: the salt is the one of a user who does not exist.
func TestLookupThatRefuses(t *testing.T) {
	record := derive(t, sasl.SHA256, "pencil")
	shown := func(found *sasl.SCRAMRecord, err error) string {
		server := sasl.Server{Key: serverKey, Mechanisms: []sasl.ServerMechanism{sasl.SCRAMServer(sasl.SHA256,
			func(context.Context, sasl.Hash, string) (*sasl.SCRAMRecord, error) { return found, err })}}
		server.SetNonce("server")
		answer, _, err := beginServer(t, &server, "SCRAM-SHA-256").Respond(t.Context(), []byte("n,,n=user,r=x"))
		if err != nil {
			t.Error(err)
		}
		return string(answer)
	}
	const real = "r=xserver,s=MDEyMzQ1Njc4OWFiY2RlZg==,i=4096"
	if got := shown(record, nil); got != real {
		t.Errorf("%q", got)
	}
	refused, absent := shown(record, sasl.ErrAuthentication), shown(nil, nil)
	if refused != absent || refused == real {
		t.Errorf("%q, and %q for nobody", refused, absent)
	}
}

// TestServerBindingWithoutData: a type that the connection has no data for is not
// supported, although another type is.
func TestServerBindingWithoutData(t *testing.T) {
	server := sasl.Server{Key: serverKey, Mechanisms: []sasl.ServerMechanism{sasl.SCRAMPlusServer(sasl.SHA256, scramStore(t, "user", nil))}}
	conn := sasl.ConnInfo{Secure: true, Bindings: []sasl.ChannelBinding{{Type: "tls-exporter"}, endPoint}}
	for cbName, want := range map[string]string{
		"tls-exporter": "e=unsupported-channel-binding-type", "tls-unique": "e=unsupported-channel-binding-type", "tls-server-end-point": "r=x",
	} {
		session, err := server.Begin(t.Context(), conn, "SCRAM-SHA-256-PLUS")
		if err != nil {
			t.Fatal(err)
		}
		if answer, _, err := session.Respond(t.Context(), []byte("p="+cbName+",,n=user,r=x")); !strings.HasPrefix(string(answer), want) || err != nil {
			t.Errorf("%s: %q, %v", cbName, answer, err)
		}
	}
}

// TestCanonicalOfServer: the server's own preparation takes the place of SASLprep.
func TestCanonicalOfServer(t *testing.T) {
	server := sasl.Server{
		Mechanisms: []sasl.ServerMechanism{sasl.PlainServer(accept)},
		Canonical:  func(name string) (string, error) { return strings.ToLower(name), nil },
	}
	session := beginServer(t, &server, "PLAIN")
	if _, done, err := session.Respond(t.Context(), []byte("USER\x00User\x00pencil")); !done || err != nil {
		t.Errorf("done %t, %v", done, err)
	}
	if want := (sasl.Result{Mechanism: "PLAIN", Username: "user", Authzid: "user", RoundTrips: 1}); session.Result() != want {
		t.Errorf("%+v", session.Result())
	}
}
