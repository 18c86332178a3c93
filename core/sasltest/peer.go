package sasltest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"

	sasl "github.com/saslkit/saslkit/core"
)

// Peer is a server that follows the lines of any transcript: a sasl.Interface
// without a protocol. A Peer performs the server's lines and records each deviation
// of the client.
type Peer struct {
	// Lines are the remaining lines.
	Lines []Line
	// Unabortable makes every Abort fail, as on a connection that is out of sync.
	Unabortable bool
	// Tokens are the mechanisms that the peer lists for clients with a token.
	Tokens []string
	// Issue is the token that the peer sends with success; nil = no token.
	Issue *sasl.IssuedToken
	// Requests are the client's requests about tokens, one before each exchange.
	Requests []sasl.TokenRequest
	// Later is the list of mechanisms after success; nil = the peer has no such list.
	Later []string
	// OnStall, if set, is called when the peer begins to stall.
	OnStall func()

	once   sync.Once
	closed chan struct{}
	mu     sync.Mutex
	faults []error
	isShut bool
}

// NewPeer returns a Peer for the lines of an exchange.
func NewPeer(lines ...Line) *Peer {
	return &Peer{Lines: lines, closed: make(chan struct{})}
}

// TokenMechanisms implements sasl.TokenInterface for the client under test.
func (p *Peer) TokenMechanisms() []string { return p.Tokens }

// RequestTokens implements sasl.TokenInterface for the client under test.
func (p *Peer) RequestTokens(request sasl.TokenRequest) { p.Requests = append(p.Requests, request) }

// IssuedToken implements sasl.TokenInterface for the client under test.
func (p *Peer) IssuedToken() *sasl.IssuedToken { return p.Issue }

// Relist implements sasl.RelistingInterface for the client under test.
func (p *Peer) Relist(context.Context) ([]string, error) { return p.Later, nil }

// Initiate implements sasl.Interface for the client under test.
func (p *Peer) Initiate(ctx context.Context, _ string, initial []byte) (sasl.Reply, error) {
	return p.exchange(initial)
}

// Respond implements sasl.Interface for the client under test.
func (p *Peer) Respond(ctx context.Context, response []byte) (sasl.Reply, error) {
	return p.exchange(response)
}

// Abort implements sasl.Interface for the client under test.
func (p *Peer) Abort(context.Context) error {
	if !p.expect(ClientAborts) || p.Unabortable {
		return fmt.Errorf("%w: cannot be aborted", sasl.ErrProtocol)
	}
	if len(p.Lines) > 0 && p.Lines[0].Op == Refuse {
		p.Lines = p.Lines[1:]
	}
	return nil
}

// Close implements sasl.Interface for the client under test.
func (p *Peer) Close() error {
	p.once.Do(func() {
		p.mu.Lock()
		p.isShut = true
		p.mu.Unlock()
		close(p.closed)
	})
	return nil
}

// Closed reports whether the client closed the connection.
func (p *Peer) Closed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.isShut
}

// Fault returns the client's first deviation from the lines. A client that does not
// reach the end of the lines deviates too. Fault returns nil if there is no
// deviation.
func (p *Peer) Fault() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.faults) > 0 {
		return p.faults[0]
	}
	rest := p.Lines
	if len(rest) > 0 && rest[0].Op == ClientCloses {
		if !p.isShut {
			return fmt.Errorf("the client did not close the connection")
		}
		rest = rest[1:]
	} else if p.isShut && len(p.Lines) == 0 {
		return fmt.Errorf("the client closed the connection")
	}
	if len(rest) > 0 {
		return fmt.Errorf("the client did not reach %q", rest[0])
	}
	return nil
}

func (p *Peer) note(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, fmt.Errorf(format, args...))
}

// expect takes the next line, which must be the client's line with this op.
func (p *Peer) expect(op Op) bool {
	if len(p.Lines) == 0 || p.Lines[0].Op != op {
		p.note("the client did %s, but the remaining lines are %q", op, p.Lines)
		return false
	}
	p.Lines = p.Lines[1:]
	return true
}

func (p *Peer) exchange(message []byte) (sasl.Reply, error) {
	if len(p.Lines) > 0 && p.Lines[0].Op == ClientSends {
		if want := p.Lines[0].Data; !bytes.Equal(message, want) || (message == nil) != (want == nil) {
			p.note("the client sent %q, not %q", message, want)
		}
	}
	if !p.expect(ClientSends) || len(p.Lines) == 0 {
		return sasl.Reply{}, io.ErrUnexpectedEOF
	}
	line := p.Lines[0]
	p.Lines = p.Lines[1:]
	switch line.Op {
	case Challenge:
		return sasl.Reply{Data: line.Data}, nil
	case Succeed:
		return sasl.Reply{Data: line.Data, Done: true}, nil
	case Refuse:
		return sasl.Reply{}, &sasl.Failure{Condition: line.Condition}
	case Stall:
		if p.OnStall != nil {
			p.OnStall()
		}
		<-p.closed
		return sasl.Reply{}, io.ErrClosedPipe
	case Cut:
		return sasl.Reply{}, io.ErrUnexpectedEOF
	}
	p.note("%q is not a line of the server", line)
	return sasl.Reply{}, io.ErrUnexpectedEOF
}
