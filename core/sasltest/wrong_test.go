package sasltest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

// wrongToy is the toy protocol's adapter with a fault.
type wrongToy struct {
	*toy
	wrong string
}

// wrongs are the faults, each with the reading and the case that detect the fault.
var wrongs = map[string]struct{ reading, name string }{
	"believes success before the deferred message":    {"as it comes", CaseDeferred},
	"answers any challenge with the deferred message": {"as it comes", CaseDeferredToChallenge},
	"sends an empty initial response for none":        {"as it comes", CaseInitialResponses},
	"takes empty success data for none":               {"as it comes", CaseSuccessData},
	"announces success by itself":                     {"as it comes", CaseEarlySuccess},
	"returns a refusal as another error":              {"as it comes", CaseRefusals},
	"forgets the condition":                           {"as it comes", CaseRefusals},
	"does not wait for the acknowledgement":           {"as it comes", CaseAttemptAfterAbort},
	"returns the refusal that acknowledges":           {"as it comes", CaseAttemptAfterAbort},
	"never closes":                                    {"as it comes", CaseCancel},
	"goes on after an over-long line":                 {"as it comes", CaseOverLong},
	"waits for ever after a cut":                      {"as it comes", CaseCut},
	"swallows what cannot be read":                    {"as it comes", CaseMalformed},
	"promises a layer and carries none":               {"as it comes", CaseLayer},
	"takes a read for a line":                         {OctetByOctet, CaseInitialResponses},
	"takes a piece for a line":                        {RandomPieces, CaseTranscripts},
}

func (w *wrongToy) is(wrong string) bool { return w.wrong == wrong }

func (w *wrongToy) Initiate(ctx context.Context, mechanism string, initial []byte) (sasl.Reply, error) {
	if w.is("sends an empty initial response for none") && initial == nil {
		initial = []byte{}
	}
	letter, _, err := w.receive()
	if err != nil {
		return sasl.Reply{}, err
	}
	w.send("M", []byte(mechanism))
	if letter == "y" || initial == nil {
		return w.finish(w.exchange("I", initial))
	}
	reply, err := w.finish(w.exchange("I", nil))
	switch {
	case err != nil:
		return reply, err
	case reply.Done && w.is("believes success before the deferred message"):
		return reply, nil
	case reply.Done:
		return sasl.Reply{}, fmt.Errorf("%w: too early", sasl.ErrSecurity)
	case len(reply.Data) > 0 && !w.is("answers any challenge with the deferred message"):
		return sasl.Reply{}, fmt.Errorf("%w: not empty", sasl.ErrProtocol)
	}
	return w.finish(w.exchange("R", initial))
}

func (w *wrongToy) Respond(_ context.Context, response []byte) (sasl.Reply, error) {
	return w.finish(w.exchange("R", response))
}

// finish puts the fault into an answer.
func (w *wrongToy) finish(reply sasl.Reply, err error) (sasl.Reply, error) {
	var refused *sasl.Failure
	switch {
	case w.is("takes empty success data for none") && reply.Done:
		reply.Data = nil
	case w.is("announces success by itself") && err == nil && !reply.Done && len(reply.Data) == 0:
		reply.Done = true
	case w.is("announces success by itself") && reply.Done:
		reply = sasl.Reply{Data: []byte("a proof of its own"), Done: true}
	case errors.As(err, &refused) && w.is("returns a refusal as another error"):
		return reply, fmt.Errorf("%w: refused", sasl.ErrProtocol)
	case errors.As(err, &refused) && w.is("forgets the condition"):
		return reply, &sasl.Failure{Condition: sasl.NotAuthorized}
	case err != nil && refused == nil && w.is("waits for ever after a cut"):
		select {}
	case sasl.ClassOf(err) == sasl.ErrProtocol && w.is("swallows what cannot be read"):
		return w.exchange("R", []byte{})
	case sasl.ClassOf(err) == sasl.ErrProtocol && w.is("goes on after an over-long line"):
		return w.exchange("R", []byte{})
	}
	return reply, err
}

func (w *wrongToy) Abort(ctx context.Context) error {
	switch err := error(nil); {
	case w.is("does not wait for the acknowledgement"):
		w.send("A", nil)
		return err
	case w.is("returns the refusal that acknowledges"):
		w.toy.Abort(ctx)
		return &sasl.Failure{Condition: sasl.Aborted}
	}
	return w.toy.Abort(ctx)
}

func (w *wrongToy) InstallLayer(sasl.Layer) {}

func (w *wrongToy) Close() error {
	if w.is("never closes") {
		return nil
	}
	return w.toy.Close()
}

// oneRead is a connection whose reader takes each read for a line.
type oneRead struct{ net.Conn }

func (c oneRead) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b[:len(b)-1])
	if n > 0 && b[n-1] != '\n' {
		b[n] = '\n'
		n++
	}
	return n, err
}

const wrongVariable = "SASLTEST_WRONG"

// TestWrongToy runs the kit over the adapter with the fault that the environment
// names. TestWrongAdapters sets this environment. Without a fault the adapter is
// right.
func TestWrongToy(t *testing.T) {
	wrong := os.Getenv(wrongVariable)
	if wrong != "" {
		limit = 2 * time.Second
	}
	TestAdapter(t, Adapter{
		Wire:        func(conn net.Conn) Wire { return &toyWire{toy: newToy(conn)} },
		SuccessData: true,
		Conditions:  []sasl.Condition{sasl.NotAuthorized, sasl.TemporaryAuthFailure},
		Malformed:   []Malformed{{Name: "not base64", Frame: "C .!!!!\n", Class: sasl.ErrProtocol, InSync: true}},
		Dial: func(ctx context.Context, conn net.Conn, client *sasl.Client) (sasl.Result, error) {
			if reads := wrongs[wrong].reading; reads != "" && reads != "as it comes" {
				conn = oneRead{conn}
			}
			return client.Authenticate(ctx, &wrongToy{newToy(conn), wrong}, sasl.ServerInfo{
				CarriesLayer: wrong == "promises a layer and carries none", SuccessData: true, Mechanisms: toyMechanisms})
		},
	})
}

// TestWrongAdapters shows that the kit fails an adapter with each fault within the
// time limit, and quotes the rule.
func TestWrongAdapters(t *testing.T) {
	for wrong, row := range wrongs {
		t.Run(wrong, func(t *testing.T) {
			t.Parallel()
			pattern := "^TestWrongToy$/^" + row.reading + "$/^" + row.name + "$"
			command := exec.CommandContext(t.Context(), os.Args[0], "-test.run="+strings.ReplaceAll(pattern, " ", "_"))
			command.Env = append(os.Environ(), wrongVariable+"="+wrong)
			start := time.Now()
			output, err := command.CombinedOutput()
			if err == nil || !strings.Contains(string(output), "the rule: "+rules[row.name]) {
				t.Errorf("%v, and the rule %q is not quoted in\n%.2000s", err, rules[row.name], output)
			}
			if took := time.Since(start); took > limit { // on a busy machine
				t.Errorf("it took %v", took)
			}
		})
	}
}

// TestGapsAreFailures shows that an Adapter fails if the Adapter has no Conditions, no
// Malformed, or a Cannot with an unknown case.
func TestGapsAreFailures(t *testing.T) {
	if os.Getenv(wrongVariable) == "gaps" {
		Adapter{Cannot: map[string]string{"no such case": "?"}}.check(t)
		return
	}
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestGapsAreFailures$")
	command.Env = append(os.Environ(), wrongVariable+"=gaps")
	output, err := command.CombinedOutput()
	for _, want := range []string{"has no Conditions", "has no Malformed", "which is not a case"} {
		if err == nil || !strings.Contains(string(output), want) {
			t.Errorf("%v, and %q is not in %s", err, want, output)
		}
	}
}
