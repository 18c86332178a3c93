package sasl_test

import (
	"context"
	"crypto/fips140"
	"errors"
	"strings"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

// TestScramWithoutBindingData: a client's mechanism that is to bind and has no data
// sends nothing, because such a binding would be the same on every connection.
func TestScramWithoutBindingData(t *testing.T) {
	for data, class := range map[string]sasl.Class{"exporter data": "", "": sasl.ErrConfig} {
		exchange := sasl.SCRAMPlus(sasl.SHA256, pencil).New(sasl.Terms{
			GS2Flag: 'p', Binding: sasl.ChannelBinding{Type: "tls-exporter", Data: []byte(data)}})
		out, done, err := exchange.Step(t.Context(), nil)
		if (out == nil) != (class != "") || done || sasl.ClassOf(err) != class {
			t.Errorf("%q: %q, done %t, %v", data, out, done, err)
		}
	}
	// An unbound run has no cb-name, also if the connection has one name for all.
	terms := sasl.Terms{GS2Flag: 'n', Server: sasl.ServerInfo{BindingName: "ldap"}}
	if name, data := terms.GS2Binding(); name != "" || data != nil {
		t.Errorf("%q, %q", name, data)
	}
}

// TestSaltOfFIPS: under FIPS 140 a salt of 15 octets is refused before anything is
// derived, and one of 16 is not. Elsewhere both are good.
func TestSaltOfFIPS(t *testing.T) {
	refused := sasl.Class("")
	if fips140.Enforced() {
		refused = sasl.ErrPolicy
	}
	for salt, class := range map[string]sasl.Class{"MDEyMzQ1Njc4OWFiY2Rl": refused, "MDEyMzQ1Njc4OWFiY2RlZg==": ""} {
		client := rfc7677Client("a password of more than 14 octets")
		session, err := client.Begin(t.Context(), scramServer)
		if err != nil {
			t.Fatal(err)
		}
		session.Start()
		response, err := session.Respond([]byte("r=" + rfc7677Nonce + "server,s=" + salt + ",i=4096"))
		if sasl.ClassOf(err) != class || (response == nil) != (class != "") || class != "" && !strings.Contains(err.Error(), "a salt of less than 16 octets") {
			t.Errorf("%s: %q, %v", salt, response, err)
		}
	}
}

// TestListsThatPassForMore: a name with one of the octets that XEP-0474 puts
// between names is in no list that is confirmed. The hashes are Python's of
// "SCRAM-SHA-256\x1eX\x1fa" and "SCRAM-SHA-256\x1fa\x1fb".
func TestListsThatPassForMore(t *testing.T) {
	for name, row := range map[string]struct {
		mechanisms, types []string
		hash              string
	}{
		"mechanisms that pass for types":    {[]string{"SCRAM-SHA-256", "X\x1fa"}, nil, "X3qz8Rqrw/HtfSUyEf5kPp7XfpoGy2L59mUkSr0vOs4="},
		"types that pass for another field": {[]string{"SCRAM-SHA-256"}, []string{"a\x1fb"}, "98n90A7rwSqhR/DxbHmA93Abppwbh1ESiK/XCsSgjvc="},
	} {
		client := rfc7677Client("pencil")
		session, err := client.Begin(t.Context(), sasl.ServerInfo{
			Secure: true, Downgrade: true, Mechanisms: row.mechanisms, AdvertisedBindings: row.types})
		if err != nil {
			t.Fatal(err)
		}
		session.Start()
		response, err := session.Respond([]byte(rfc7677ServerFirst + ",h=" + row.hash))
		if response != nil || sasl.ClassOf(err) != sasl.ErrSecurity || !strings.Contains(err.Error(), "could count as two") {
			t.Errorf("%s: %q, %v", name, response, err)
		}
	}
}

// TestScramMessagesOfServer: what a client refuses in the first message of a
// server, with the longest and the shortest that it takes.
func TestScramMessagesOfServer(t *testing.T) {
	longest := rfc7677ServerFirst + ",x=" + strings.Repeat("x", 8<<10-len(rfc7677ServerFirst)-3)
	for message, class := range map[string]sasl.Class{
		longest:                               "",
		longest + "x":                         sasl.ErrProtocol,
		rfc7677ServerFirst + ",X=1,z=2":       "",
		rfc7677ServerFirst + ",@=1":           sasl.ErrProtocol,
		rfc7677ServerFirst + ",[=1":           sasl.ErrProtocol,
		rfc7677ServerFirst + ",1=1":           sasl.ErrProtocol,
		rfc7677ServerFirst + ",x:1":           sasl.ErrProtocol,
		rfc7677ServerFirst + ",x":             sasl.ErrProtocol,
		rfc7677ServerFirst + ",x=":            sasl.ErrProtocol,
		rfc7677ServerFirst + ",i=4096":        sasl.ErrProtocol,
		rfc7677ServerFirst + ",e=other-error": sasl.ErrProtocol,
		"r=" + rfc7677Nonce + "\x20x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096":             sasl.ErrProtocol,
		"r=" + rfc7677Nonce + "\x7f,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096":              sasl.ErrProtocol,
		"r=" + rfc7677Nonce + "!~,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096":                "",
		"r=" + rfc7677Nonce + "x,s=W22ZaJ0SNY7soEsUEjb6gQ==":                        sasl.ErrProtocol,
		"r=" + rfc7677Nonce + "x,i=4096":                                            sasl.ErrProtocol,
		"r=" + rfc7677Nonce + "x,i=4096,s=W22ZaJ0SNY7soEsUEjb6gQ==":                 sasl.ErrProtocol,
		"r=" + rfc7677Nonce + "x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=99999999999999999999": sasl.ErrSecurity,
		"r=" + rfc7677Nonce + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096":                  sasl.ErrSecurity,
		"r=x" + rfc7677Nonce + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096":                 sasl.ErrSecurity,
		"e=other-error,r=x": sasl.ErrProtocol,
	} {
		// It ends a derivation that the bound did not stop.
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		session, err := rfc7677Client("pencil").Begin(ctx, scramServer)
		if err != nil {
			t.Fatal(err)
		}
		session.Start()
		response, err := session.Respond([]byte(message))
		cancel()
		if sasl.ClassOf(err) != class || (response == nil) != (class != "") {
			t.Errorf("%.120q: %q, %v, want class %q", message, response, err, class)
		}
	}
}

// TestScramStaysFailed: an exchange that has failed says so again, and one that is
// done takes nothing more.
func TestScramStaysFailed(t *testing.T) {
	client := sasl.SCRAM(sasl.SHA256, sasl.Password("us\x00er", "pencil")).New(sasl.Terms{GS2Flag: 'n'})
	_, _, first := client.Step(t.Context(), nil)
	if _, done, err := client.Step(t.Context(), []byte(rfc7677ServerFirst)); done || err == nil || err != first {
		t.Errorf("done %t, %v after %v", done, err, first)
	}
	server := sasl.Server{Key: serverKey, Mechanisms: []sasl.ServerMechanism{sasl.SCRAMServer(sasl.SHA256, scramStore(t, "user", nil))}}
	session := beginServer(t, &server, "SCRAM-SHA-256")
	if binding := session.Result().Binding; binding != "" {
		t.Errorf("bound to %q before the first message", binding)
	}
	terms := sasl.ServerTerms{
		Key:       serverKey,
		Canonical: func(string) (string, error) { return "", errors.New("is nobody's") },
	}
	exchange := sasl.SCRAMServer(sasl.SHA256, scramStore(t, "user", nil)).New(terms)
	out, done, err := exchange.Step(t.Context(), []byte("n,,n=user,r=x"))
	if string(out) != "e=invalid-username-encoding" || done || sasl.ClassOf(err) != sasl.ErrProtocol {
		t.Errorf("%q, done %t, %v", out, done, err)
	}
	for _, in := range []string{"", "n,,n=user,r=x"} {
		if out, done, again := exchange.Step(t.Context(), []byte(in)); out != nil || done || again != err {
			t.Errorf("%q: %q, done %t, %v", in, out, done, again)
		}
	}
}
