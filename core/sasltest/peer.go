package sasltest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"

	sasl "github.com/saslkit/saslkit/core"
)

// Peer is a server that follows the lines of a transcript, whatever they are:
// a sasl.Interface without a protocol. It does what its lines say and notes
// where the client does something else.
type Peer struct {
	// Lines is what is still to come.
	Lines []Line
	// Unabortable makes every Abort fail, as on a connection out of sync.
	Unabortable bool
	// Tokens is what the peer lists for clients that hold a token.
	Tokens []string
	// Issue is the token that goes out with success; nil = none.
	Issue *sasl.IssuedToken
	// Requests are what the client said about tokens, before each exchange.
	Requests []sasl.TokenRequest
	// Later is the list of mechanisms after success; nil = the peer has none.
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

// TokenMechanisms is for the client under test.
func (p *Peer) TokenMechanisms() []string { return p.Tokens }

// RequestTokens is for the client under test.
func (p *Peer) RequestTokens(request sasl.TokenRequest) { p.Requests = append(p.Requests, request) }

// IssuedToken is for the client under test.
func (p *Peer) IssuedToken() *sasl.IssuedToken { return p.Issue }

// Relist is for the client under test.
func (p *Peer) Relist(context.Context) ([]string, error) { return p.Later, nil }

// Initiate is for the client under test.
func (p *Peer) Initiate(ctx context.Context, _ string, initial []byte) (sasl.Reply, error) {
	return p.exchange(initial)
}

// Respond is for the client under test.
func (p *Peer) Respond(ctx context.Context, response []byte) (sasl.Reply, error) {
	return p.exchange(response)
}

// Abort is for the client under test.
func (p *Peer) Abort(context.Context) error {
	if !p.expect(ClientAborts) || p.Unabortable {
		return fmt.Errorf("%w: cannot be aborted", sasl.ErrProtocol)
	}
	if len(p.Lines) > 0 && p.Lines[0].Op == Refuse {
		p.Lines = p.Lines[1:]
	}
	return nil
}

// Close is for the client under test.
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

// Fault returns where the client left the lines first, also by not getting to
// their end; nil if it did not.
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
		return fmt.Errorf("the client did not get to %q", rest[0])
	}
	return nil
}

func (p *Peer) note(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, fmt.Errorf(format, args...))
}

// expect takes a line of the client's.
func (p *Peer) expect(op Op) bool {
	if len(p.Lines) == 0 || p.Lines[0].Op != op {
		p.note("%s where the lines have %q", op, p.Lines)
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
	p.note("%q is not for the server to say", line)
	return sasl.Reply{}, io.ErrUnexpectedEOF
}
