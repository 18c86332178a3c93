package sasltest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// fault is the fault of a mechanism.
type fault string

const (
	sound            fault = "nothing"
	doneEarly        fault = "the client is done before the server's proof"
	believesAnything fault = "the client does not compare the server's proof"
	letsAnybodyIn    fault = "the server does not compare the client's proof"
	keyInError       fault = "an error shows the key"
	keyInField       fault = "a field shows the key"
	keyInTrace       fault = "Describe shows the key"
	keyInMessage     fault = "the key goes out, and KeepsSecret is declared"
	keyEncoded       fault = "the key goes out in base64, and KeepsSecret is declared"
	keyUndeclared    fault = "the key goes out, and SentSecrets does not have it"
	runsOnce         fault = "the mechanism remembers that it was used"
	forgetsErrors    fault = "the client forgets its error"
	twoMinds         fault = "SingleMessage and ProvesServer are declared"
	otherName        fault = "the server finds another name"
)

// detects names, for each fault, the case of the kit that detects the fault.
var detects = map[fault]string{
	doneEarly: "early_success", believesAnything: "changed_messages_to_the_client", letsAnybodyIn: "wrong_credentials",
	keyInError: "errors_stay", keyInField: "secrets", keyInTrace: "secrets", keyInMessage: "declares", keyEncoded: "declares",
	keyUndeclared: "echoes", runsOnce: "logs_in_many_times_at_once", forgetsErrors: "errors_stay", twoMinds: "declares", otherName: "logs_in",
}

// sends returns the part of the first message that is not the proof.
func (f fault) sends(key string) string {
	switch f {
	case keyInMessage, keyUndeclared:
		return key
	case keyEncoded:
		return "k=" + base64.StdEncoding.EncodeToString([]byte(key))
	}
	return ""
}

const faultyKey = "the key of the faulty mechanism"

func faultyMAC(key, role string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(role))
	return string(mac.Sum(nil))
}

type faulty struct {
	fault fault
	key   sasl.Secret
	runs  *atomic.Int32
}

func (faulty) Name() string { return "X-FAULTY" }

func (m faulty) Properties() sasl.Properties {
	sends := m.fault == keyUndeclared
	return sasl.Properties{KeepsSecret: !sends, ProvesServer: true, SingleMessage: m.fault == twoMinds}
}

func (m faulty) New(sasl.Terms) sasl.Exchange {
	m.runs.Add(1)
	x := &faultyExchange{faulty: m}
	if m.fault == keyInField {
		x.field = string(m.key.Bytes())
	}
	return x
}

type faultyExchange struct {
	faulty
	field string
	steps int
	err   error
}

func (*faultyExchange) Identity() sasl.Identity { return sasl.Identity{Username: "user"} }

func (x *faultyExchange) SentSecrets() []sasl.Secret {
	if x.fault == keyUndeclared {
		return nil
	}
	return []sasl.Secret{x.key}
}

func (x *faultyExchange) Describe(message []byte) string {
	if x.fault == keyInTrace {
		return string(x.key.Bytes())
	}
	return fmt.Sprint(len(message))
}

func (x *faultyExchange) Step(_ context.Context, in []byte) ([]byte, bool, error) {
	if x.err != nil && x.fault != forgetsErrors {
		return nil, false, x.err
	}
	key := string(x.key.Bytes())
	switch x.steps++; {
	case x.fault == runsOnce && x.runs.Load() > 8:
		x.err = errors.New("used already")
	case x.steps == 1:
		return []byte(faultyMAC(key, "client") + x.fault.sends(key)), x.fault == doneEarly, nil
	case x.steps == 2 && (string(in) == faultyMAC(key, "server") || x.fault == believesAnything):
		return []byte{}, true, nil
	case x.fault == keyInError:
		x.err = fmt.Errorf("%w: it does not know %s", sasl.ErrSecurity, key)
	case x.fault == forgetsErrors && x.steps > 4:
		return []byte{}, false, nil
	default:
		x.err = fmt.Errorf("%w: it does not know the key", sasl.ErrSecurity)
	}
	return nil, false, x.err
}

type faultyServer struct{ fault fault }

func (faultyServer) Name() string                           { return "X-FAULTY" }
func (m faultyServer) New(t sasl.ServerTerms) sasl.Exchange { return &faultyServerExchange{m, t, nil} }

type faultyServerExchange struct {
	faultyServer
	terms sasl.ServerTerms
	err   error
}

func (x *faultyServerExchange) Identity() sasl.Identity {
	if x.fault == otherName {
		return sasl.Identity{Username: "somebody else"}
	}
	return sasl.Identity{Username: "user"}
}

func (x *faultyServerExchange) Step(_ context.Context, in []byte) ([]byte, bool, error) {
	want := faultyMAC(faultyKey, "client") + x.fault.sends(faultyKey)
	switch {
	case x.err != nil:
		return nil, false, x.err
	case string(in) != want && x.fault != letsAnybodyIn:
		x.err = fmt.Errorf("%w: the proof is wrong", sasl.ErrAuthentication)
		return nil, false, x.err
	}
	x.err = fmt.Errorf("%w: a second message", sasl.ErrProtocol)
	return []byte(faultyMAC(faultyKey, "server")), true, nil
}

const faultVariable = "SASLTEST_FAULT"

// TestFaulty runs the kit over the mechanism with the fault that the environment
// names. TestFaultsAreDetected sets this environment.
func TestFaulty(t *testing.T) {
	f := fault(os.Getenv(faultVariable))
	if f == "" {
		f = sound
	}
	wrong := faulty{f, sasl.NewSecret("some other key of fourteen octets"), new(atomic.Int32)}
	if f == letsAnybodyIn {
		wrong.key = sasl.NewSecret(faultyKey + "x")
		wrong.fault = believesAnything
	}
	TestMechanism(t, MechanismKit{
		Mechanism: faulty{f, sasl.NewSecret(faultyKey), new(atomic.Int32)}, Wrong: wrong,
		Server: &sasl.Server{Mechanisms: []sasl.ServerMechanism{faultyServer{f}}},
		Conn:   sasl.ConnInfo{Secure: true}, Secrets: []string{faultyKey}, Username: "user",
	})
}

// TestFaultsAreDetected shows that the kit fails a mechanism with each fault, in the
// case that tests for the fault.
func TestFaultsAreDetected(t *testing.T) {
	for f, name := range detects {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFaulty$")
			command.Env = append(os.Environ(), faultVariable+"="+string(f))
			output, err := command.CombinedOutput()
			if err == nil || !strings.Contains(string(output), "--- FAIL: TestFaulty/"+name+" ") {
				t.Errorf("%v, and no failure of %q in\n%s", err, name, output)
			}
		})
	}
}
