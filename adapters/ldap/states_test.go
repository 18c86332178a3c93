package saslldap_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	sasl "github.com/saslkit/saslkit/core"
)

// state is a point at which a server stops, and from which on it reads nothing.
type state struct {
	name string
	talk func(w *wire) error // before it stops
	use  func(ctx context.Context, t *testing.T, conn net.Conn) error
}

// half sends the first octets of a message.
func (w *wire) half(op string) error {
	_, err := w.conn.Write([]byte("\x30\x20\x02\x04" + string([]byte{byte(w.id >> 24), byte(w.id >> 16), byte(w.id >> 8), byte(w.id)}) + op))
	return err
}

func silence(*wire) error { return nil }

func afterRequest(w *wire) error {
	_, err := w.request()
	return err
}

func halfRequest(w *wire) error { return errors.Join(afterRequest(w), w.half("\x64")) }

func afterList(w *wire) error { return w.Greet("PLAIN", true) }

func afterBind(w *wire) error {
	err := w.Greet("PLAIN", true)
	_, _, readErr := w.ReadInitiate()
	return errors.Join(err, readErr)
}

func halfBind(w *wire) error { return errors.Join(afterBind(w), w.half("\x61")) }

// afterNonsense leaves the exchange of SCRAM to be aborted.
func afterNonsense(w *wire) error { return errors.Join(afterBind(w), w.Challenge([]byte("nonsense"))) }

func afterAbort(w *wire) error { return errors.Join(afterNonsense(w), afterRequest(w)) }

func afterChallenge(w *wire) error {
	err := w.Greet("PLAIN", true)
	op, readErr := w.request()
	if err := errors.Join(err, readErr); err != nil {
		return err
	}
	_, nonce, _ := strings.Cut(string(op.Children[2].Children[1].ByteValue), ",r=")
	return w.Challenge([]byte("r=" + nonce + "abc,s=QUJDREVGR0hJSktMTU5PUA==,i=4096"))
}

func afterSuccess(w *wire) error {
	return errors.Join(afterBind(w), w.send(result(tagBindResponse, 0, "", nil)))
}

func afterSecondRequest(w *wire) error { return errors.Join(afterSuccess(w), afterRequest(w)) }

func startTLS(ctx context.Context, _ *testing.T, conn net.Conn) error {
	_, err := saslldap.NewStartTLS(ctx, conn, host, nil)
	return err
}

func over(ctx context.Context, t *testing.T, conn net.Conn) *saslldap.Client {
	client, err := saslldap.NewConn(context.Background(), conn, host, nil)
	if err != nil {
		t.Error(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

func plain(ctx context.Context, t *testing.T, conn net.Conn) error {
	return (<-bind(ctx, over(ctx, t, conn))).err
}

// scram is named PLAIN, as the server's list has it.
func scram(ctx context.Context, t *testing.T, conn net.Conn) error {
	return (<-bind(ctx, over(ctx, t, conn), renamed{sasl.SCRAM(sasl.SHA256, sasl.Password("alice", "pencil"))})).err
}

type renamed struct{ sasl.Mechanism }

func (renamed) Name() string { return "PLAIN" }

func serverInfo(ctx context.Context, t *testing.T, conn net.Conn) error {
	_, err := over(ctx, t, conn).ServerInfo(ctx)
	return err
}

// inTurn binds while another bind, whose context does not end, is under way.
func inTurn(ctx context.Context, t *testing.T, conn net.Conn) error {
	client := over(ctx, t, conn)
	bind(context.Background(), client)
	synctest.Wait()
	return (<-bind(ctx, client)).err
}

// afterSearch binds while a search has no answer, and further requests are held back.
func afterSearch(ctx context.Context, t *testing.T, conn net.Conn) error {
	client := over(ctx, t, conn)
	search(client, "dc=slow")
	synctest.Wait()
	outcome := bind(ctx, client)
	synctest.Wait()
	for range 12 {
		search(client, "dc=held")
	}
	return (<-outcome).err
}

func listAfterSearch(w *wire) error { return errors.Join(afterRequest(w), afterList(w)) }

// holding binds, and requests of other goroutines are held back meanwhile.
func holding(ctx context.Context, t *testing.T, conn net.Conn) error {
	client := over(ctx, t, conn)
	outcome := bind(ctx, client)
	time.Sleep(time.Second)
	for range 12 {
		search(client, "dc=held")
	}
	return (<-outcome).err
}

var states = []state{
	{"StartTLS is not read", silence, startTLS},
	{"StartTLS has no answer", afterRequest, startTLS},
	{"StartTLS has half an answer", halfRequest, startTLS},
	{"the handshake is not read", func(w *wire) error { return errors.Join(afterRequest(w), w.send(result(tagExtended, 0, "", nil))) }, startTLS},
	{"the root DSE is not read", silence, plain},
	{"the root DSE has no answer", afterRequest, plain},
	{"the root DSE has half an answer", halfRequest, plain},
	{"ServerInfo is not read", silence, serverInfo},
	{"ServerInfo has no answer", afterRequest, serverInfo},
	{"another bind runs", afterRequest, inTurn},
	{"an earlier request has no answer, and requests are held back", listAfterSearch, afterSearch},
	{"the bind is not read", afterList, plain},
	{"the bind has no answer", afterBind, plain},
	{"the bind has no answer, and requests are held back", afterBind, holding},
	{"the bind has half an answer", halfBind, plain},
	{"the response is not read", afterChallenge, scram},
	{"the abort is not read", afterNonsense, scram},
	{"the abort has no answer", afterAbort, scram},
	{"the second root DSE is not read", afterSuccess, plain},
	{"the second root DSE has no answer", afterSecondRequest, plain},
	{"the second root DSE has no answer, and requests are held back", afterSecondRequest, holding},
}

// TestContextEndsEveryState: in every state, also if the server reads nothing, the
// end of the context ends the operation within 100 ms.
func TestContextEndsEveryState(t *testing.T) {
	for _, s := range states {
		t.Run(s.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				near, far := net.Pipe()
				t.Cleanup(func() { far.Close() })
				ctx, cancel := context.WithCancel(t.Context())
				talked, outcome := make(chan error, 1), make(chan error, 1)
				go func() { talked <- s.talk(newWire(far)) }()
				go func() { outcome <- s.use(ctx, t, near) }()
				if err := <-talked; err != nil {
					t.Error(err)
				}
				time.Sleep(1500 * time.Millisecond) // less than an abort waits
				select {
				case err := <-outcome:
					t.Fatalf("over already: %v", err)
				default:
				}
				cancel()
				start := time.Now()
				select {
				case err := <-outcome:
					if took := time.Since(start); took > 100*time.Millisecond || !errors.Is(err, context.Canceled) || !errors.Is(err, sasl.ErrConnection) {
						t.Errorf("after %s: %v", took, err)
					}
				case <-time.After(time.Second):
					t.Error("not over after a second")
					near.Close()
					<-outcome
				}
			})
		})
	}
}
