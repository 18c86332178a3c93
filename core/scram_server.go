package sasl

import (
	"bytes"
	"context"
	"crypto/subtle"
	"errors"
	"strings"
)

// SCRAMLookup returns the record of a user for a hash. SCRAMLookup returns nil if
// there is no such user or no such record; the client does not learn this fact. An
// error without a Class counts as ErrTemporary.
type SCRAMLookup func(ctx context.Context, h Hash, username string) (*SCRAMRecord, error)

// SCRAMServer is the server's SCRAM mechanism with the hash, not bound to the
// channel. It needs Server.Key.
func SCRAMServer(h Hash, lookup SCRAMLookup) ServerMechanism {
	return &scramServer{hash: h, name: h.Mechanism(), lookup: lookup}
}

// SCRAMPlusServer is the server's SCRAM mechanism with the hash, bound to the
// channel. It needs Server.Key.
func SCRAMPlusServer(h Hash, lookup SCRAMLookup) ServerMechanism {
	return &scramServer{hash: h, name: h.Mechanism() + plusSuffix, lookup: lookup}
}

type scramServer struct {
	hash   Hash
	name   string
	lookup SCRAMLookup
}

func (m *scramServer) Name() string { return m.name }

func (m *scramServer) Properties() Properties {
	return scramProperties(m.hash).withCallback(m.lookup != nil)
}

func (m *scramServer) New(t ServerTerms) Exchange {
	return &scramServerExchange{scramServer: m, terms: t}
}

// scramServerExchange is the server's side of RFC 5802 s5.
type scramServerExchange struct {
	*scramServer
	terms ServerTerms
	step  int
	err   error

	identity    Identity
	text        strings.Builder // the messages; from first.bare on, AuthMessage
	first       clientFirst
	binding     []byte // the data of the type that the client named
	madeUp      SCRAMRecord
	salt        hashValue    // of madeUp, unless its salt is longer
	record      *SCRAMRecord // of the user, or madeUp
	unknownUser bool
	nonce       string // both parts
}

func (x *scramServerExchange) Identity() Identity { return x.identity }

func (x *scramServerExchange) BoundTo() string {
	return x.first.gs2.cbName
}

func (x *scramServerExchange) Step(ctx context.Context, in []byte) (out []byte, done bool, err error) {
	if x.err != nil {
		return nil, false, x.err
	}
	if in == nil {
		return []byte{}, false, nil
	}
	switch x.step {
	case 0:
		out, err = x.answerFirst(ctx, in)
	case 1:
		out, err = x.answerFinal(ctx, in)
		done = err == nil
	default:
		err = protocolError("%s: a message after the client-final-message", x.name)
	}
	x.step++
	if err == nil {
		return out, done, nil
	}
	x.err = err
	// A fault has a server-error-value, which is sent before the refusal.
	if f := (*scramFault)(nil); errors.As(err, &f) {
		value := f.serverError
		if value == "" {
			value = "other-error"
		}
		out = (&serverFinal{serverError: value}).append(nil)
	}
	return out, false, err
}

// answerFirst turns the client-first-message into the server-first-message.
func (x *scramServerExchange) answerFirst(ctx context.Context, message []byte) ([]byte, error) {
	x.text.Grow(usualAuthMessage)
	x.text.Write(message)
	first, err := parseClientFirst(x.text.String())
	if err != nil {
		return nil, err
	}
	x.first = first
	if err := x.checkFlag(); err != nil {
		return nil, err
	}
	if x.identity, err = x.terms.Identity(first.username, first.gs2.authzid); err != nil {
		return nil, fault("invalid-username-encoding", "%w", err)
	}
	if err := x.findRecord(ctx); err != nil {
		return nil, err
	}
	x.nonce = x.terms.newNonce(first.nonce)
	answer := serverFirst{nonce: x.nonce, salt: x.record.Salt, iterations: x.record.Iterations}
	if x.terms.Conn.Downgrade {
		answer.listHashes, answer.tlsVersions = confirmedLists(x.hash, &x.terms)
	}
	out := answer.append(make([]byte, 0, usualMessage))
	x.text.WriteByte(',')
	x.text.Write(out)
	return out, nil
}

// checkFlag checks the gs2-cbind-flag (RFC 5802 s6).
func (x *scramServerExchange) checkFlag() error {
	plus := strings.HasSuffix(x.name, plusSuffix)
	switch flag := x.first.gs2.flag; {
	case plus && flag != 'p':
		return fault("", "the mechanism binds and the client does not")
	case !plus && flag == 'p':
		return fault("channel-binding-not-supported", "the client binds and the mechanism does not")
	case flag == 'y' && x.terms.PlusOffered:
		return &scramFault{"server-does-support-channel-binding", ErrSecurity,
			errors.New("the client did not receive our -PLUS mechanisms: an attacker may have truncated the list of mechanisms")}
	case flag != 'p':
		return nil
	}
	for _, b := range x.terms.Conn.Bindings {
		if b.Type == x.first.gs2.cbName && len(b.Data) > 0 {
			x.binding = b.Data
			return nil
		}
	}
	return fault("unsupported-channel-binding-type", "the client binds to %s", Printable(x.first.gs2.cbName))
}

// findRecord looks up the record of the user. A user who does not exist, or who has
// no record for the hash, gets a made-up record. That record is made for every
// user, so that the time of the answer does not show the difference.
func (x *scramServerExchange) findRecord(ctx context.Context) error {
	x.madeUp = x.terms.madeUp(x.salt[:0], x.hash, x.identity.Username)
	record, err := x.lookup(ctx, x.hash, x.identity.Username)
	if err != nil && ClassOf(err) != ErrAuthentication {
		return withClass(err, ErrTemporary)
	}
	x.record = record
	x.unknownUser = err != nil || record == nil || record.Hash != x.hash
	if x.unknownUser {
		x.record = &x.madeUp
	}
	return nil
}

// answerFinal turns the client-final-message into the server-final-message.
func (x *scramServerExchange) answerFinal(ctx context.Context, message []byte) ([]byte, error) {
	if len(message) == 0 {
		return nil, classed(ErrAuthentication, "%s: the client gave up", x.name)
	}
	// A text of its own: a formatted exchange must not show the proof.
	final, err := parseClientFinal(string(message))
	if err != nil {
		return nil, err
	}
	if final.nonce != x.nonce {
		return nil, &scramFault{"", ErrSecurity, errors.New("the client's nonce is not the one of this exchange")}
	}
	// The gs2-header is compared again: without this comparison an attacker could
	// change the authzid in the header.
	binding, sameHeader := bytes.CutPrefix(final.channelBinding, []byte(x.first.header))
	if !sameHeader || !bytes.Equal(binding, x.binding) {
		return nil, &scramFault{"channel-bindings-dont-match", ErrSecurity, errors.New("the channel binding is not the one of this connection")}
	}
	x.text.WriteByte(',')
	x.text.WriteString(final.withoutProof)
	authMessage := x.text.String()[len(x.first.header):]
	if !x.proved(final.proof, authMessage) {
		return nil, &scramFault{"invalid-proof", ErrAuthentication, errors.New("the proof is wrong")}
	}
	if err := x.terms.Authorize(ctx, x.identity); err != nil {
		return nil, &scramFault{"", ClassOf(err), err}
	}
	var memory hashValue
	answer := serverFinal{verifier: serverSignature(memory[:0], x.hash, x.record.ServerKey.Bytes(), authMessage)}
	return answer.append(make([]byte, 0, usualMessage)), nil
}

// proved computes the ClientKey from the proof and compares its hash with the
// StoredKey. The work for an unknown user is the same.
func (x *scramServerExchange) proved(proof []byte, authMessage string) bool {
	var nobody, clientMemory, storedMemory hashValue
	want := nobody[:x.hash.Size()]
	if len(proof) != len(want) {
		return false
	}
	if !x.unknownUser {
		want = x.record.StoredKey.Bytes()
	}
	clientKey := clientProof(clientMemory[:0], x.hash, proof, want, authMessage)
	got := storedKey(storedMemory[:0], x.hash, clientKey)
	return subtle.ConstantTimeCompare(got, want) == 1 && !x.unknownUser
}
