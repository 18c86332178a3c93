package sasltest

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// TestAdapter runs the cases that every adapter must pass, each on a connection of
// its own, and every transcript of a client in the protocol's framing. TestAdapter
// then repeats all cases with three other divisions of the server's octets into
// reads: one octet in a read, an end of a read at every line end and inside every
// CRLF, and random pieces, whose seed is logged.
//
// A case of a faulty adapter fails within ten seconds, and quotes the violated rule
// of sasl.Interface. An Adapter without Conditions or without Malformed fails,
// unless Cannot states the reason.
func TestAdapter(t *testing.T, a Adapter) {
	a.check(t)
	for r := range readings {
		if reason, ok := a.Cannot[r.String()]; ok {
			t.Logf("%s: %s", r, reason)
			continue
		}
		seed := rand.Uint64()
		t.Run(r.String(), func(t *testing.T) {
			a.reading, a.seed = r, seed
			a.runCases(t)
		})
	}
}

// check fails an Adapter whose description has gaps.
func (a Adapter) check(t *testing.T) {
	for name := range a.Cannot {
		if rules[name] == "" {
			t.Errorf("Cannot lists %q, which is not a case: the cases are the constants Case…", name)
		}
	}
	if len(a.Conditions) == 0 && a.Cannot[CaseRefusals] == "" {
		t.Errorf("the Adapter has no Conditions: list the conditions that the protocol can express, or state the reason in Cannot (%s)", CaseRefusals)
	}
	if len(a.Malformed) == 0 && a.Cannot[CaseMalformed] == "" {
		t.Errorf("the Adapter has no Malformed: list frames that a server may send in place of a challenge, or state the reason in Cannot (%s)", CaseMalformed)
	}
}

func (a Adapter) runCases(t *testing.T) {
	for _, c := range []struct {
		name string
		test func(*testing.T)
	}{
		{CaseTranscripts, a.testTranscripts},
		{CaseInitialResponses, a.testInitialResponses},
		{CaseDeferred, a.testDeferred},
		{CaseDeferredToChallenge, a.testDeferredToChallenge},
		{CaseEmptyMessages, a.testEmptyMessages},
		{CaseLongMessages, a.testLongMessages},
		{CaseSuccessData, a.testSuccessData},
		{CaseEarlySuccess, a.testEarlySuccess},
		{CaseChallengeAfterDone, a.testChallengeAfterDone},
		{CaseRefusals, a.testRefusals},
		{CaseAttemptAfterRefusal, a.testAttemptAfterRefusal},
		{CaseAttemptAfterAbort, a.testAttemptAfterAbort},
		{CaseMalformed, a.testMalformed},
		{CaseOverLong, a.testOverLong},
		{CaseCut, a.testCut},
		{CaseCancel, a.testCancel},
		{CaseLayer, a.testLayer},
	} {
		if reason, ok := a.Cannot[c.name]; ok {
			t.Logf("%s: %s", c.name, reason)
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("the rule: %s", rules[c.name])
				}
			})
			c.test(t)
		})
	}
}

const mechanismName = "X-TEST"

// script is a transcript of lines for the scripted mechanism.
func script(expect sasl.Class, lines ...Line) *Transcript {
	return &Transcript{Name: "script", MechanismName: mechanismName, Expect: expect, Lines: lines}
}

func clientSends(data string) Line { return Line{Op: ClientSends, Data: []byte(data)} }
func challenge(data string) Line   { return Line{Op: Challenge, Data: []byte(data)} }

var (
	noInitial = Line{Op: ClientSends}
	success   = Line{Op: Succeed}
	closes    = Line{Op: ClientCloses}
	aborts    = Line{Op: ClientAborts}
	aborted   = Line{Op: Refuse, Condition: sasl.Aborted}
)

func (a Adapter) testTranscripts(t *testing.T) {
	for _, tr := range Transcripts() {
		if tr.Role == Server || len(tr.Lines) == 0 {
			continue
		}
		// Channel binding does not concern the framing, and needs a channel.
		unbound := *tr
		tr = &unbound
		tr.MechanismName = strings.TrimSuffix(tr.MechanismName, "-PLUS")
		if tr.Token != "" { // a profile's list of token mechanisms does not concern the framing
			tr.MechanismName = mechanismName
		}
		if with, ok := tr.WithSuccessData(); ok && a.SuccessData {
			t.Run(tr.Name+" with success data", func(t *testing.T) { a.play(t, with, true) })
		}
		if !a.expresses(tr) {
			t.Logf("%s: the framing cannot express this transcript", tr.Name)
			continue
		}
		t.Run(tr.Name, func(t *testing.T) { a.play(t, tr, true) })
	}
}

func (a Adapter) expresses(tr *Transcript) bool {
	_, noEmptyMessages := a.Cannot[CaseEmptyMessages]
	for _, line := range tr.Lines {
		if noEmptyMessages && line.Op == Challenge && len(line.Data) == 0 {
			return false
		}
		if len(line.Data) > 64<<10 || line.Op == Succeed && line.Data != nil && !a.SuccessData {
			return false
		}
	}
	return true
}

func (a Adapter) testEmptyMessages(t *testing.T) {
	a.play(t, script(Success, clientSends("i"), challenge(""), clientSends(""), challenge("c"), clientSends(""), success), true)
	a.play(t, script(Success, noInitial, challenge(""), clientSends("r"), success), true)
}

// testLongMessages uses messages of the length that SCRAM and tokens may need, with
// octets of all values.
func (a Adapter) testLongMessages(t *testing.T) {
	var all [256]byte
	for i := range all {
		all[i] = byte(i)
	}
	long := strings.Repeat(string(all[:]), 32)
	a.play(t, script(Success, clientSends("i"), challenge(long), clientSends(long), success), true)
}

func (a Adapter) testSuccessData(t *testing.T) {
	if !a.SuccessData {
		a.play(t, script(Success, clientSends("i"), challenge("c"), clientSends(""), success), true)
		return
	}
	a.play(t, script(Success, clientSends("i"), Line{Op: Succeed, Data: []byte("proof")}), true)
	a.play(t, script(Success, clientSends("i"), Line{Op: Succeed, Data: []byte{}}), true)
	a.play(t, script(sasl.ErrSecurity, clientSends("i"), Line{Op: Succeed, Data: []byte{}}, closes), true)
}

// testEarlySuccess tests that success before the server has proved anything is, at
// each step, an ErrSecurity, and that the client closes the connection.
func (a Adapter) testEarlySuccess(t *testing.T) {
	a.play(t, script(sasl.ErrSecurity, clientSends("i"), success, closes), true)
	a.play(t, script(sasl.ErrSecurity, noInitial, success, closes), true)
	a.play(t, script(sasl.ErrSecurity, clientSends("i"), challenge("c"), clientSends("r"), success, closes), true)
}

func (a Adapter) testChallengeAfterDone(t *testing.T) {
	a.play(t, script(sasl.ErrProtocol, clientSends("i"), challenge("c"), clientSends(""), challenge("more"), aborts, aborted), true)
}

func (a Adapter) testRefusals(t *testing.T) {
	for _, condition := range a.Conditions {
		refusal := Line{Op: Refuse, Condition: condition}
		want := sasl.ClassOf(&sasl.Failure{Condition: condition})
		for _, lines := range [][]Line{{clientSends("i"), refusal}, {clientSends("i"), challenge("c"), clientSends("r"), refusal}} {
			err := a.play(t, script(want, lines...), true)
			var failure *sasl.Failure
			if !errors.As(err, &failure) || failure.Condition != condition {
				t.Errorf("%s came out as %v", condition, err)
			}
		}
	}
}

func (a Adapter) testAttemptAfterRefusal(t *testing.T) {
	a.playTwice(t, script(sasl.ErrAuthentication, clientSends("first"), challenge("c"), clientSends("r"), Line{Op: Refuse, Condition: sasl.NotAuthorized}))
}

func (a Adapter) testAttemptAfterAbort(t *testing.T) {
	a.playTwice(t, script(sasl.ErrProtocol, clientSends("first"), challenge("c"), aborts, aborted))
}
