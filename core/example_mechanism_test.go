package sasl_test

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
)

// X-KEY is a mechanism of another module, complete on both sides:
//
//	S: nonce
//	C: username NUL HMAC-SHA-256(key, "client" || nonce)
//	S: HMAC-SHA-256(key, "server" || nonce)
const keyName = "X-KEY"

// keyProperties: the key stays on both sides, and the server proves that the server
// knows the key. All other properties have the careful value.
var keyProperties = sasl.Properties{KeepsSecret: true, ProvesServer: true, Binds: sasl.BindsNever}

func keyMAC(key sasl.Secret, role string, nonce []byte) []byte {
	mac := hmac.New(sha256.New, key.Bytes())
	mac.Write([]byte(role))
	mac.Write(nonce)
	return mac.Sum(nil)
}

// keyClient is the client's side.
type keyClient struct {
	username string
	key      sasl.Secret
}

func (keyClient) Name() string                     { return keyName }
func (keyClient) Properties() sasl.Properties      { return keyProperties }
func (m keyClient) New(_ sasl.Terms) sasl.Exchange { return &keyClientExchange{keyClient: m} }

type keyClientExchange struct {
	keyClient
	step  int
	nonce []byte
	err   error
}

func (x *keyClientExchange) Identity() sasl.Identity { return sasl.Identity{Username: x.username} }

func (x *keyClientExchange) Step(_ context.Context, in []byte) (out []byte, done bool, err error) {
	if x.err == nil {
		x.step++
		switch x.step {
		case 1: // the server sends the first message
			return nil, false, nil
		case 2:
			if len(in) < 16 || len(in) > 64 {
				x.err = fmt.Errorf("%w: %s: the nonce has less than 16 or more than 64 octets", sasl.ErrProtocol, keyName)
				break
			}
			x.nonce = in
			return append([]byte(x.username+"\x00"), keyMAC(x.key, "client", in)...), false, nil
		case 3:
			if subtle.ConstantTimeCompare(in, keyMAC(x.key, "server", x.nonce)) != 1 {
				x.err = fmt.Errorf("%w: %s: the server does not know the key", sasl.ErrSecurity, keyName)
				break
			}
			return []byte{}, true, nil
		default:
			x.err = fmt.Errorf("%w: %s: a challenge after the last message", sasl.ErrProtocol, keyName)
		}
	}
	return nil, false, x.err
}

// SentSecrets returns the proof: a log must not contain the proof, even if the
// server repeats the proof.
func (x *keyClientExchange) SentSecrets() []sasl.Secret {
	return []sasl.Secret{x.key, sasl.NewSecret(keyMAC(x.key, "client", x.nonce))}
}

// Describe shows a message in a trace without the proof.
func (x *keyClientExchange) Describe(message []byte) string {
	if strings.HasPrefix(string(message), x.username+"\x00") {
		return fmt.Sprintf("username=%q proof=…", x.username)
	}
	return fmt.Sprintf("%d octets", len(message))
}

// keyServer is the server's side, with its store of keys.
type keyServer struct {
	lookup func(username string) (key sasl.Secret, ok bool)
}

func (keyServer) Name() string                { return keyName }
func (keyServer) Properties() sasl.Properties { return keyProperties }
func (m keyServer) New(t sasl.ServerTerms) sasl.Exchange {
	return &keyServerExchange{keyServer: m, terms: t}
}

type keyServerExchange struct {
	keyServer
	terms    sasl.ServerTerms
	nonce    [16]byte
	asked    bool
	identity sasl.Identity
	err      error
}

func (x *keyServerExchange) Identity() sasl.Identity { return x.identity }

func (x *keyServerExchange) Step(ctx context.Context, in []byte) (out []byte, done bool, err error) {
	switch {
	case x.err != nil:
	case !x.asked && in != nil:
		x.err = fmt.Errorf("%w: %s: an initial response, and the server speaks first", sasl.ErrProtocol, keyName)
	case !x.asked:
		x.asked = true
		rand.Read(x.nonce[:])
		return x.nonce[:], false, nil
	default:
		if out, x.err = x.verify(ctx, string(in)); x.err == nil {
			x.err = fmt.Errorf("%w: %s: a message after the last one", sasl.ErrProtocol, keyName)
			return out, true, nil
		}
	}
	return nil, false, x.err
}

func (x *keyServerExchange) verify(ctx context.Context, message string) ([]byte, error) {
	username, proof, ok := strings.Cut(message, "\x00")
	if !ok {
		return nil, fmt.Errorf("%w: %s: the message is not username NUL proof", sasl.ErrProtocol, keyName)
	}
	id, err := x.terms.Identity(username, "")
	if err != nil {
		return nil, err
	}
	key, known := x.lookup(id.Username)
	if subtle.ConstantTimeCompare([]byte(proof), keyMAC(key, "client", x.nonce[:])) != 1 || !known {
		return nil, fmt.Errorf("%w: %s: the proof is wrong", sasl.ErrAuthentication, keyName)
	}
	x.identity = id
	return keyMAC(key, "server", x.nonce[:]), x.terms.Authorize(ctx, id)
}

var exampleKey = sasl.NewSecret("a key of more than fourteen octets")

func keyExample() *sasl.Server {
	return &sasl.Server{SuccessData: true, Mechanisms: []sasl.ServerMechanism{keyServer{func(username string) (sasl.Secret, bool) {
		return exampleKey, username == "alice"
	}}}}
}

// The author of a mechanism implements Mechanism, ServerMechanism and Exchange,
// and declares the Properties. sasltest.TestMechanism tests both sides.
func ExampleMechanism() {
	auth := &sasl.Client{Mechanisms: []sasl.Mechanism{keyClient{"alice", exampleKey}}}
	auth.Trace = func(e sasl.Event) { fmt.Println(e) }
	near, far := pipe()
	go serveLines(far, keyExample(), sasl.ConnInfo{Secure: true})
	result, err := auth.Authenticate(context.Background(), newLineConn(near), sasl.ServerInfo{
		Host: "example.org", Secure: true, SuccessData: true, Mechanisms: []string{keyName},
	})
	fmt.Println(result.Mechanism, result.Username, err)
	// Output:
	// -- X-KEY
	// C: (none)
	// S: 16 octets
	// C: username="alice" proof=…
	// S+ 32 octets
	// X-KEY alice <nil>
}
