package sasltest

import (
	"bytes"
	"context"
	"fmt"

	sasl "github.com/saslkit/saslkit/core"
)

// Mechanism returns a mechanism that sends the client's lines of the transcript. The
// mechanism checks that every byte of the server's lines arrives unchanged, and so
// detects an adapter's changes. The mechanism has no secret and computes nothing.
func (t *Transcript) Mechanism() sasl.Mechanism { return scripted{t} }

type scripted struct{ t *Transcript }

func (m scripted) Name() string                 { return m.t.MechanismName }
func (m scripted) New(sasl.Terms) sasl.Exchange { return &scriptedExchange{lines: m.t.Lines, t: m.t} }

// Properties declares that there is no secret. Only the script knows which line
// proves the server, so the mechanism does not declare ProvesServer.
func (scripted) Properties() sasl.Properties { return sasl.Properties{KeepsSecret: true} }

type scriptedExchange struct {
	t     *Transcript
	lines []Line // the remaining lines
	err   error
}

func (x *scriptedExchange) Identity() sasl.Identity {
	return sasl.Identity{Username: x.t.Username, Authzid: x.t.Authzid}
}

func (*scriptedExchange) SentSecrets() []sasl.Secret { return nil }

func (x *scriptedExchange) Step(_ context.Context, in []byte) (out []byte, done bool, err error) {
	if x.err == nil {
		out, x.err = x.next(in)
	}
	if x.err != nil {
		return nil, false, x.err
	}
	return out, !x.serverHasMore(), nil
}

func (x *scriptedExchange) next(in []byte) (out []byte, err error) {
	if in != nil {
		if len(x.lines) == 0 || x.lines[0].Op != Challenge && x.lines[0].Op != Succeed {
			return nil, fmt.Errorf("%w: %s: an unexpected challenge: %q", sasl.ErrProtocol, x.t.Name, in)
		}
		if want := x.lines[0].Data; !bytes.Equal(in, want) {
			return nil, fmt.Errorf("%w: %s: the challenge is %q, not %q", sasl.ErrProtocol, x.t.Name, in, want)
		}
		x.lines = x.lines[1:]
	}
	if len(x.lines) == 0 {
		return nil, nil
	}
	line := x.lines[0]
	switch line.Op {
	case ClientSends:
		x.lines = x.lines[1:]
		return line.Data, nil
	case ClientAborts, ClientCloses:
		return nil, fmt.Errorf("%w: %s: the transcript demands this error", x.t.Expect, x.t.Name)
	}
	return nil, nil
}

// serverHasMore reports whether the server has not yet proved everything.
func (x *scriptedExchange) serverHasMore() bool {
	for _, line := range x.lines {
		switch {
		case line.Op == Challenge, line.Op == Succeed && len(line.Data) > 0:
			return true
		case line.Op == Succeed && x.t.Expect != Success:
			return true // announced too early
		}
	}
	return false
}

// WithSuccessData returns the transcript in the form of a protocol that carries
// additional data with success: a last challenge that the client answers with an
// empty response becomes the additional data (RFC 4422 s3.6). If the transcript has
// no such challenge, WithSuccessData returns false.
func (t *Transcript) WithSuccessData() (*Transcript, bool) {
	for i := len(t.Lines) - 3; i >= 0; i-- {
		last, empty, success := t.Lines[i], t.Lines[i+1], t.Lines[i+2]
		if last.Op == Challenge && empty.Op == ClientSends && len(empty.Data) == 0 && success.Op == Succeed && success.Data == nil {
			with := *t
			with.Lines = append(append([]Line(nil), t.Lines[:i]...), Line{Op: Succeed, Data: last.Data})
			with.Lines = append(with.Lines, t.Lines[i+3:]...)
			return &with, true
		}
	}
	return nil, false
}
