package sasltest

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

// MechanismKit describes a mechanism for TestMechanism.
type MechanismKit struct {
	// Mechanism is the client's side, with credentials that the server accepts.
	Mechanism sasl.Mechanism
	// Wrong is the same mechanism with credentials that the server refuses; nil =
	// the mechanism has no such credentials, as for ANONYMOUS.
	Wrong sasl.Mechanism
	// Server offers the server's side over Conn. If the mechanism has only a
	// client's side, its author writes a server for the test. If the mechanism
	// declares Layers, the server's exchange has the method Layer too.
	Server *sasl.Server
	Conn   sasl.ConnInfo
	// Secrets are the passwords, tokens and keys that no error, trace or formatted
	// value may show.
	Secrets []string
	// Username and Authzid are the identity that the server determines.
	Username, Authzid string
}

// TestMechanism runs the cases that every mechanism must pass, on both sides: the
// declared properties, the exchange itself, changed messages, a premature
// announcement of success, secrets that a server repeats, a context that has ended,
// and the security layers of a mechanism that declares Layers. Each case has a time limit of 30 seconds, regardless of the mechanism.
//
// For a mechanism that is Unavailable in this process, TestMechanism tests only
// that a Client does not use the mechanism.
func TestMechanism(t *testing.T, k MechanismKit) {
	if reason := k.properties().Unavailable; reason != nil {
		if _, err := k.client(k.Mechanism).Begin(t.Context(), k.info()); !errors.Is(err, reason) || !errors.Is(err, sasl.ErrPolicy) {
			t.Errorf("%v, for a mechanism that is unavailable: %v", err, reason)
		}
		return
	}
	for _, c := range []struct {
		name string
		test func(*testing.T)
	}{
		{"declares", k.testDeclares},
		{"logs in", k.testLogsIn},
		{"logs in many times at once", k.testConcurrent},
		{"wrong credentials", k.testWrong},
		{"early success", k.testEarlySuccess},
		{"changed messages to the client", k.testChangedToClient},
		{"changed messages to the server", k.testChangedToServer},
		{"another channel", k.testAnotherChannel},
		{"errors stay", k.testErrorsStay},
		{"secrets", k.testSecrets},
		{"echoes", k.testEchoes},
		{"context", k.testContext},
		{"layers", k.testLayers},
	} {
		t.Run(c.name, func(t *testing.T) {
			done := make(chan struct{})
			timer := time.AfterFunc(kitLimit, func() {
				select {
				case <-done:
				default:
					panic(fmt.Sprintf("sasltest: %s: the mechanism does not return within %v", t.Name(), kitLimit))
				}
			})
			defer timer.Stop()
			defer close(done)
			c.test(t)
		})
	}
}

// kitLimit limits the time of one case. A case normally takes much less time.
const kitLimit = 30 * time.Second

// properties returns the properties that the mechanism declares.
func (k *MechanismKit) properties() sasl.Properties {
	if m, ok := k.Mechanism.(interface{ Properties() sasl.Properties }); ok {
		return m.Properties()
	}
	return sasl.Properties{}
}

// client returns a Client with one mechanism, which every policy allows.
func (k *MechanismKit) client(m sasl.Mechanism) *sasl.Client {
	return &sasl.Client{Mechanisms: []sasl.Mechanism{m}, Allow: func(sasl.Candidate) error { return nil }}
}

// info returns the description of the kit's server for the client.
func (k *MechanismKit) info() sasl.ServerInfo {
	info := sasl.ServerInfo{
		Service: k.Conn.Service, Host: k.Conn.Host, Secure: true, TLSVersion: k.Conn.TLSVersion,
		Mechanisms: []string{k.Mechanism.Name()}, Bindings: k.Conn.Bindings, SuccessData: k.Server.SuccessData,
	}
	if len(info.Bindings) > 0 {
		info.ProfileBinding = info.Bindings[0].Type
	}
	return info
}

// connect returns a connection to the kit's server without a network.
func (k *MechanismKit) connect() *directConn {
	server := *k.Server
	d := &directConn{server: &server, conn: k.Conn}
	server.Refused = func(_ string, _ sasl.ConnInfo, reason error) { d.reason = reason }
	return d
}

// directConn is an Interface that passes each message to a ServerSession. Its funcs
// may change a message.
type directConn struct {
	server *sasl.Server
	conn   sasl.ConnInfo
	// toServer and toClient change a message, whose number counts from 0.
	toServer, toClient func(number int, message []byte) []byte
	// answer replaces the server's answer to a message; nil = no replacement.
	answer func(number int) (sasl.Reply, error, bool)

	session *sasl.ServerSession
	sent    [][]byte // the client's messages, as the server got them
	answers [][]byte // the server's messages, as the server sent them
	reason  error    // the server's reason for the refusal
	result  sasl.Result
	closed  atomic.Bool // atomic, because an ended context closes from another goroutine
}

func (d *directConn) Initiate(ctx context.Context, mechanism string, initial []byte) (sasl.Reply, error) {
	session, err := d.server.Begin(ctx, d.conn, mechanism)
	if err != nil {
		return sasl.Reply{}, &sasl.Failure{Condition: sasl.InvalidMechanism}
	}
	d.session = session
	return d.Respond(ctx, initial)
}

func (d *directConn) Respond(ctx context.Context, response []byte) (sasl.Reply, error) {
	number := len(d.sent)
	if d.toServer != nil {
		response = d.toServer(number, response)
	}
	d.sent = append(d.sent, slices.Clone(response))
	if d.answer != nil {
		if reply, err, replaced := d.answer(number); replaced {
			return reply, err
		}
	}
	data, done, err := d.session.Respond(ctx, response)
	if err != nil {
		return sasl.Reply{}, &sasl.Failure{Condition: sasl.NotAuthorized}
	}
	if done {
		d.result = d.session.Result()
	}
	d.answers = append(d.answers, slices.Clone(data))
	if d.toClient != nil && data != nil {
		data = d.toClient(number, data)
	}
	return sasl.Reply{Data: data, Done: done}, nil
}

func (d *directConn) Abort(context.Context) error { return nil }

func (d *directConn) Close() error {
	d.closed.Store(true)
	return nil
}

// login runs one login over a connection.
func (k *MechanismKit) login(ctx context.Context, client *sasl.Client, d *directConn) (sasl.Result, error) {
	return client.Authenticate(ctx, d, k.info())
}

// shows reports whether a text shows one of the secrets: unchanged, in hexadecimal
// or in base64.
func (k *MechanismKit) shows(text string) bool {
	return slices.ContainsFunc(k.Secrets, func(secret string) bool {
		return slices.ContainsFunc(spellings(secret), func(s string) bool { return strings.Contains(text, s) })
	})
}

// spellings returns the forms of a secret in a text or a message. In base64 there
// are three forms, for the possible numbers of octets before the secret. The forms
// do not contain the digits that depend on other octets.
func spellings(secret string) []string {
	list := []string{secret, hex.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte(secret)))}
	for _, alphabet := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			digits := alphabet.EncodeToString(append(make([]byte, before), secret...))
			list = append(list, digits[(before*8+5)/6:(before+len(secret))*8/6])
		}
	}
	return list
}
