package sasl

import (
	"context"
	"io"
)

// memory is a kind of data that a Client remembers from one login to the next,
// such as its tokens or its keys. A login calls a memory at four moments.
type memory interface {
	// candidates returns the candidates to insert in front of the Client's list. An
	// unused candidate has its reason. If mayUse is false, the login may not use
	// remembered data any more, and candidates returns an empty list.
	candidates(ctx context.Context, s *selection, mayUse bool) ([]candidate, error)
	// beforeInitiate is called before the first message of a run is sent. The
	// exchange has begun, so its identity is known, unless the exchange learns the
	// identity only at its end.
	beforeInitiate(s *Session)
	// succeeded is called after a verified success. A failure of the memory does
	// not undo the login.
	succeeded(s *Session)
	// failed is called after a failure. inSync reports that the connection is in
	// sync. If the remembered data were not the cause, or inSync is false, failed
	// returns nil. Otherwise failed returns err, with a note about its own action,
	// and the next candidate follows.
	failed(s *Session, err error, inSync bool) error
}

// memories are the memories of one login.
type memories struct {
	list []memory
	few  [2]memory // the memory of list
	keys keyMemory // in list if the Client keeps keys
}

// collect makes the memories of a Client that the connection can carry. A nil conn
// means that nobody reports a refusal.
func (m *memories) collect(c *Client, conn io.Closer) {
	m.list = m.few[:0]
	if carrier, ok := conn.(TokenInterface); ok { // also without tokens: conn must not repeat an earlier request
		m.list = append(m.list, &tokenMemory{tokens: c.Tokens, conn: carrier})
	}
	if c.Keys != nil {
		m.keys = keyMemory{store: c.Keys, unreported: conn == nil}
		m.list = append(m.list, &m.keys)
	}
}
