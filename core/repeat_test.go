package sasl_test

import (
	"context"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// inlinePeer is a server whose protocol sends the initial response inline.
type inlinePeer struct{ *sasltest.Peer }

func (p inlinePeer) Initiate(ctx context.Context, mechanism string, initial []byte) (sasl.Reply, error) {
	reply, err := p.Peer.Initiate(ctx, mechanism, initial)
	reply.Inline = true
	return reply, err
}

// TestSentAgain shows that the client sends the message of a single-message mechanism
// a second time if the message was sent inline and the first answer is an empty
// challenge. The client never sends the message a third time.
func TestSentAgain(t *testing.T) {
	type lines = []sasltest.Line
	const message = "\x00tim\x00secret"
	careful := declared{"X-TEST", sasl.Properties{SingleMessage: true}}
	longer := declared{"X-TEST", sasl.Properties{Repeatable: true}}
	const none = `n  ""  ""`
	for name, row := range map[string]struct {
		mechanism sasl.Mechanism
		inline    bool
		lines     lines
		class     sasl.Class
	}{
		"an empty challenge":         {sasl.Plain(sasl.Password("tim", "secret")), true, lines{c(message), s(""), c(message), succeed}, ""},
		"and a refusal":              {sasl.Plain(sasl.Password("tim", "secret")), true, lines{c(message), s(""), c(message), refuse(sasl.NotAuthorized)}, sasl.ErrAuthentication},
		"two of them":                {sasl.Plain(sasl.Password("tim", "secret")), true, lines{c(message), s(""), c(message), s(""), abort}, sasl.ErrProtocol},
		"a challenge that is not":    {sasl.Plain(sasl.Password("tim", "secret")), true, lines{c(message), s("x"), abort}, sasl.ErrProtocol},
		"and an empty one after it":  {sasl.Plain(sasl.Password("tim", "secret")), true, lines{c(message), s(""), c(message), s("x"), abort}, sasl.ErrProtocol},
		"not inline":                 {sasl.Plain(sasl.Password("tim", "secret")), false, lines{c(message), s(""), abort}, sasl.ErrProtocol},
		"an empty message":           {sasl.External(""), true, lines{c(""), s(""), c(""), succeed}, ""},
		"not declared Repeatable":    {careful, true, lines{c(none), s(""), abort}, sasl.ErrProtocol},
		"not declared SingleMessage": {longer, true, lines{c(none), s(""), abort}, sasl.ErrProtocol},
	} {
		peer := sasltest.NewPeer(row.lines...)
		var conn sasl.Interface = peer
		if row.inline {
			conn = inlinePeer{peer}
		}
		client := &sasl.Client{Mechanisms: []sasl.Mechanism{row.mechanism}}
		_, err := client.Authenticate(t.Context(), conn, sasl.ServerInfo{Secure: true, Mechanisms: []string{row.mechanism.Name()}})
		if fault := peer.Fault(); sasl.ClassOf(err) != row.class || fault != nil {
			t.Errorf("%s: %v, %v", name, err, fault)
		}
	}
}

// deferringPeer is a server that may refuse a command that contains an initial
// response.
type deferringPeer struct {
	*sasltest.Peer
	unread   bool
	deferred int
}

func (p *deferringPeer) Initiate(ctx context.Context, mechanism string, initial []byte) (sasl.Reply, error) {
	reply, err := p.Peer.Initiate(ctx, mechanism, initial)
	if f, ok := err.(*sasl.Failure); ok {
		f.Unread = p.unread
	}
	return reply, err
}

func (p *deferringPeer) InitiateDeferred(ctx context.Context, mechanism string, initial []byte) (sasl.Reply, error) {
	p.deferred++
	return p.Peer.Initiate(ctx, mechanism, initial)
}

// TestDeferredAfterRefusal shows that the client sends an unread command once more
// without the message, only once, and only for a mechanism that allows this.
func TestDeferredAfterRefusal(t *testing.T) {
	type lines = []sasltest.Line
	const message = "\x00tim\x00secret"
	bad := refuse(sasl.MalformedRequest)
	plain := sasl.Plain(sasl.Password("tim", "secret"))
	for name, row := range map[string]struct {
		mechanism sasl.Mechanism
		unread    bool
		lines     lines
		class     sasl.Class
		deferred  int
	}{
		"not read":                {plain, true, lines{c(message), bad, c(message), succeed}, "", 1},
		"not read twice":          {plain, true, lines{c(message), bad, c(message), bad}, sasl.ErrProtocol, 1},
		"read, and refused":       {plain, false, lines{c(message), refuse(sasl.NotAuthorized)}, sasl.ErrAuthentication, 0},
		"SCRAM":                   {sasl.SCRAM(sasl.SHA256, pencil), true, append(lines{c(rfc7677ClientFirst), bad}, scramLines...), "", 1},
		"later in the exchange":   {sasl.SCRAM(sasl.SHA256, pencil), true, lines{c(rfc7677ClientFirst), s(rfc7677ServerFirst), c(rfc7677ClientFinal), bad}, sasl.ErrProtocol, 0},
		"a prompt with a text":    {sasl.LoginInitialResponse(sasl.Password("tim", "secret")), true, lines{c("tim"), bad}, sasl.ErrProtocol, 0},
		"not Repeatable":          {declared{"X-TEST", sasl.Properties{SingleMessage: true}}, true, lines{c(`n  ""  ""`), bad}, sasl.ErrProtocol, 0},
		"without a first message": {silent{}, true, lines{{Op: sasltest.ClientSends}, bad}, sasl.ErrProtocol, 0},
	} {
		peer := &deferringPeer{Peer: sasltest.NewPeer(row.lines...), unread: row.unread}
		client := &sasl.Client{Mechanisms: []sasl.Mechanism{row.mechanism}}
		client.SetNonce(rfc7677Nonce)
		var trace string
		client.Trace = func(e sasl.Event) { trace += e.Kind.String() + " " }
		if name == "not read" {
			defer func() {
				if trace != "selected initiated refused initiated success " {
					t.Errorf("%s: the trace has %s", name, trace)
				}
			}()
		}
		result, err := client.Authenticate(t.Context(), peer, sasl.ServerInfo{Secure: true, SuccessData: true, Mechanisms: []string{row.mechanism.Name()}})
		if fault := peer.Fault(); sasl.ClassOf(err) != row.class || fault != nil || peer.deferred != row.deferred || result.RoundTrips < 1+row.deferred {
			t.Errorf("%s: deferred %d times, %v, %v, %+v", name, peer.deferred, err, fault, result)
		}
	}
}

// silent is a mechanism in which the server speaks first.
type silent struct{}

func (silent) Name() string { return "X-SILENT" }

func (silent) Properties() sasl.Properties {
	return sasl.Properties{SingleMessage: true, Repeatable: true}
}

func (silent) New(sasl.Terms) sasl.Exchange { return new(silentExchange) }

type silentExchange struct{ steps int }

func (*silentExchange) Identity() sasl.Identity { return sasl.Identity{} }

func (x *silentExchange) Step(context.Context, []byte) ([]byte, bool, error) {
	if x.steps++; x.steps == 1 {
		return nil, false, nil
	}
	return []byte("x"), true, nil
}

// endless is a mechanism that continues for a number of steps.
type endless int

func (endless) Name() string                   { return "X-ENDLESS" }
func (n endless) New(sasl.Terms) sasl.Exchange { return &endlessExchange{left: int(n)} }

type endlessExchange struct{ left int }

func (*endlessExchange) Identity() sasl.Identity { return sasl.Identity{} }

func (x *endlessExchange) Step(context.Context, []byte) ([]byte, bool, error) {
	x.left--
	return []byte("x"), x.left <= 0, nil
}

// TestStepsAreBounded shows that sixteen steps are allowed, and seventeen are not.
func TestStepsAreBounded(t *testing.T) {
	for steps, class := range map[int]sasl.Class{16: "", 17: sasl.ErrProtocol} {
		peer := sasltest.NewPeer(c("x"))
		for range steps - 1 {
			peer.Lines = append(peer.Lines, s("y"), c("x"))
		}
		peer.Lines = append(peer.Lines, succeed)
		client := &sasl.Client{Mechanisms: []sasl.Mechanism{endless(steps)}}
		if _, err := client.Authenticate(t.Context(), peer, sasl.ServerInfo{Secure: true, Mechanisms: []string{"X-ENDLESS"}}); sasl.ClassOf(err) != class {
			t.Errorf("%d steps: %v", steps, err)
		}
	}
}
