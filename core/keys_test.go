package sasl_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// Other answers to the client of RFC 7677's example, with the same nonces; computed
// with Python's hashlib and hmac.
const (
	otherSaltFirst  = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=YW5vdGhlciBzYWx0IDE2IQ==,i=4096"
	otherSaltFinal  = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=Out7y+7bQlE7Z1fZzVMGsTzea3O6hvkCOVMF0/vAJMo="
	otherSaltServer = "v=3OZveBufR0olb915LDnzBDeMc7gXY5kdqZOXM8VPQms="
	otherCountFirst = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=5000"
	otherCountFinal = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=zLaqeveIpn5/YTnTTqCk4NzrH/4HAjwI44of5YPq6MI="
	otherCountServe = "v=BPwRabLSmYPhoqhoQXfR8gsuolAaMZC3O617v155g5g="
)

// keysClient is the client of RFC 7677's example, with keys. The result asked counts
// the requests for the password.
func keysClient(store sasl.KeyStore) (client *sasl.Client, asked *int) {
	asked = new(int)
	credentials := func(context.Context, sasl.Prompt) (sasl.Credential, error) {
		return sasl.Credential{Username: "user", Password: func(context.Context) (sasl.Secret, error) {
			*asked++
			return sasl.NewSecret("pencil"), nil
		}}, nil
	}
	client = &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.SCRAMPlus(sasl.SHA256, credentials), sasl.SCRAM(sasl.SHA256, credentials)}, Keys: store}
	client.SetNonce(rfc7677Nonce)
	return client, asked
}

var (
	keysServer  = sasl.ServerInfo{Service: "imap", Host: "mail.example.org", Secure: true, Mechanisms: []string{"SCRAM-SHA-256"}}
	keysAccount = sasl.KeyAccount{Service: "imap", Host: "mail.example.org", Username: "user"}
	rightRun    = []sasltest.Line{c(rfc7677ClientFirst), s(rfc7677ServerFirst), c(rfc7677ClientFinal), s(rfc7677ServerFinal), c(""), succeed}
)

// logIn runs the client against the lines, and fails the test if the client
// deviates from them.
func logIn(t *testing.T, client *sasl.Client, srv sasl.ServerInfo, lines ...sasltest.Line) error {
	t.Helper()
	peer := sasltest.NewPeer(lines...)
	_, err := client.Authenticate(t.Context(), peer, srv)
	if fault := peer.Fault(); fault != nil {
		t.Error(fault)
	}
	return err
}

// kept renders the keys of the account.
func kept(t *testing.T, store sasl.KeyStore, account sasl.KeyAccount) (list []string) {
	t.Helper()
	err := store.Update(t.Context(), account, func(keys []sasl.SCRAMKeys) []sasl.SCRAMKeys {
		for _, k := range keys {
			list = append(list, fmt.Sprintf("%v %q %d %t %x %x", k.Hash, k.Salt, k.Iterations, k.RawPassword, k.ClientKey.Bytes(), k.ServerKey.Bytes()))
		}
		return keys
	})
	if err != nil {
		t.Error(err)
	}
	return list
}

const (
	pencilKeys      = `SHA-256 "[m\x99h\x9d\x125\x8e\xec\xa0K\x14\x126\xfa\x81" 4096 false a60fc923d67e8644a92d16b96eda5ef4656b0c725c484374be25535576996e8b c1f3cbc1c13a9d35a14c0990eed97629ea225863e566a4314ab99f3f00e5d9d5`
	pencilRawKeys   = `SHA-256 "[m\x99h\x9d\x125\x8e\xec\xa0K\x14\x126\xfa\x81" 4096 true a60fc923d67e8644a92d16b96eda5ef4656b0c725c484374be25535576996e8b c1f3cbc1c13a9d35a14c0990eed97629ea225863e566a4314ab99f3f00e5d9d5`
	pencilSaltKeys  = `SHA-256 "another salt 16!" 4096 false eab00a7e43c8fa2d995732a92c8d8293c7ad85b1d22e1f205104ec137cbf8aae 38123513202da9e0cf5521ecc6104133274e53d8805aacc8e7b950d058551041`
	pencilCountKeys = `SHA-256 "[m\x99h\x9d\x125\x8e\xec\xa0K\x14\x126\xfa\x81" 5000 false f318027df8e186519489fc0298a46d81b4a78e7bda0a44fc08cb7d5cfe021802 097aafd27230c1f2f4b799a266508b3ac7ccac84392535c1ce19159fb8ffb663`
)

// TestKeys shows that a second login needs no password, and that the stored keys are
// those of Python's hashlib and hmac.
func TestKeys(t *testing.T) {
	store := new(sasl.MemoryKeys)
	client, asked := keysClient(store)
	for range 2 {
		if err := logIn(t, client, keysServer, rightRun...); err != nil {
			t.Fatal(err)
		}
		if got := kept(t, store, keysAccount); *asked != 1 || !slices.Equal(got, []string{pencilKeys}) {
			t.Errorf("asked %d times, kept %q", *asked, got)
		}
	}
}

// TestKeysOfPlus shows that a mechanism and its -PLUS form share the keys. The bound
// run is computed with Python.
func TestKeysOfPlus(t *testing.T) {
	client, asked := keysClient(new(sasl.MemoryKeys))
	if err := logIn(t, client, keysServer, rightRun...); err != nil {
		t.Fatal(err)
	}
	bound := keysServer
	bound.Mechanisms = []string{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"}
	bound.Bindings = []sasl.ChannelBinding{exporter}
	err := logIn(t, client, bound,
		c("p=tls-exporter,,n=user,r="+rfc7677Nonce), s(rfc7677ServerFirst),
		c("c=cD10bHMtZXhwb3J0ZXIsLGV4cG9ydGVyIGRhdGE=,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=D66Jc52wX0b8CgZ1Nh9zvLl08bd+xmj9jQ7IOpW11fI="), s("v=PJ5WTPAy+BXgP9iL3ahPvLWPwAgjJDxXstJR3HqH7wg="), c(""), succeed)
	if err != nil || *asked != 1 {
		t.Errorf("asked %d times: %v", *asked, err)
	}
}

// TestKeysReplaced shows that another salt or count needs the password, and that only
// a verified success replaces the keys.
func TestKeysReplaced(t *testing.T) {
	wrongSignature := s("v=" + strings.Repeat("A", 43) + "=")
	for _, row := range []struct {
		name  string
		lines []sasltest.Line
		want  string
		class sasl.Class
	}{
		{"salt", []sasltest.Line{c(rfc7677ClientFirst), s(otherSaltFirst), c(otherSaltFinal), s(otherSaltServer), c(""), succeed}, pencilSaltKeys, ""},
		{"count", []sasltest.Line{c(rfc7677ClientFirst), s(otherCountFirst), c(otherCountFinal), s(otherCountServe), c(""), succeed}, pencilCountKeys, ""},
		{"salt of a server that does not know the password", []sasltest.Line{c(rfc7677ClientFirst), s(otherSaltFirst), c(otherSaltFinal), wrongSignature, closes}, pencilKeys, sasl.ErrSecurity},
		{"salt, refused", []sasltest.Line{c(rfc7677ClientFirst), s(otherSaltFirst), c(otherSaltFinal), refuse(sasl.NotAuthorized)}, pencilKeys, sasl.ErrAuthentication},
		{"a count below the limit", []sasltest.Line{c(rfc7677ClientFirst), s(strings.Replace(rfc7677ServerFirst, "4096", "1", 1)), closes}, pencilKeys, sasl.ErrSecurity},
	} {
		t.Run(row.name, func(t *testing.T) {
			store := new(sasl.MemoryKeys)
			client, _ := keysClient(store)
			if err := logIn(t, client, keysServer, rightRun...); err != nil {
				t.Fatal(err)
			}
			if err := logIn(t, client, keysServer, row.lines...); sasl.ClassOf(err) != row.class {
				t.Error(err)
			}
			if got := kept(t, store, keysAccount); !slices.Equal(got, []string{row.want}) {
				t.Errorf("kept %q", got)
			}
		})
	}
}

// TestKeysRefused shows which failures of a run with remembered keys remove them.
// The next operation then asks for the password.
func TestKeysRefused(t *testing.T) {
	upTo := func(end ...sasltest.Line) []sasltest.Line {
		return append([]sasltest.Line{c(rfc7677ClientFirst), s(rfc7677ServerFirst), c(rfc7677ClientFinal)}, end...)
	}
	for _, row := range []struct {
		name    string
		lines   []sasltest.Line
		removed bool
	}{
		{"not authorized", upTo(refuse(sasl.NotAuthorized)), true},
		{"invalid proof", upTo(s("e=invalid-proof"), abort), true},
		{"temporary", upTo(refuse(sasl.TemporaryAuthFailure)), false},
		{"the identity is not allowed", upTo(refuse(sasl.InvalidAuthzid)), false},
		{"cut", upTo(cut, closes), false},
		{"before the keys were used", []sasltest.Line{c(rfc7677ClientFirst), refuse(sasl.NotAuthorized)}, false},
		{"the server does not know the password", upTo(s("v="+strings.Repeat("A", 43)+"="), closes), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			store := new(sasl.MemoryKeys)
			client, asked := keysClient(store)
			if err := logIn(t, client, keysServer, rightRun...); err != nil {
				t.Fatal(err)
			}
			if err := logIn(t, client, keysServer, row.lines...); err == nil {
				t.Error("no error")
			}
			want := []string{pencilKeys}
			if row.removed {
				want = nil
			}
			if got := kept(t, store, keysAccount); !slices.Equal(got, want) || *asked != 1 {
				t.Errorf("asked %d times, kept %q", *asked, got)
			}
			if err := logIn(t, client, keysServer, rightRun...); err != nil || *asked == 2 != row.removed {
				t.Errorf("asked %d times: %v", *asked, err)
			}
		})
	}
}

// TestKeysRefusedOutOfSync shows that a refusal removes the keys also if the
// connection ends with it, and through a loop of a library.
func TestKeysRefusedOutOfSync(t *testing.T) {
	store := new(sasl.MemoryKeys)
	client, _ := keysClient(store)
	if err := logIn(t, client, keysServer, rightRun...); err != nil {
		t.Fatal(err)
	}
	_, err := client.Drive(t.Context(), sasltest.NewPeer(), keysServer, func(session *sasl.Session) error {
		if _, _, err := session.Start(); err != nil {
			return err
		}
		if _, err := session.Respond([]byte(rfc7677ServerFirst)); err != nil {
			return err
		}
		return errors.Join(&sasl.Failure{Condition: sasl.NotAuthorized}, errors.New("the library has lost its place"))
	})
	if got := kept(t, store, keysAccount); sasl.ClassOf(err) != sasl.ErrAuthentication || got != nil {
		t.Errorf("%v, kept %q", err, got)
	}
}

// TestKeysBegin shows that a loop over Begin, which reports no refusal, has the keys
// out of the store until the success.
func TestKeysBegin(t *testing.T) {
	store := new(sasl.MemoryKeys)
	client, asked := keysClient(store)
	for run := range 3 {
		session, err := client.Begin(t.Context(), keysServer)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err = session.Start(); err != nil {
			t.Fatal(err)
		}
		if final, err := session.Respond([]byte(rfc7677ServerFirst)); err != nil || string(final) != rfc7677ClientFinal {
			t.Fatalf("%q, %v", final, err)
		}
		if got := kept(t, store, keysAccount); got != nil || *asked != 1 {
			t.Errorf("run %d: asked %d times, kept %q during the run", run, *asked, got)
		}
		if err := session.Finish([]byte(rfc7677ServerFinal)); err != nil {
			t.Fatal(err)
		}
		if got := kept(t, store, keysAccount); !slices.Equal(got, []string{pencilKeys}) {
			t.Errorf("run %d: kept %q", run, got)
		}
	}
}
