package sasl

import (
	"context"
	"crypto/subtle"
	"errors"
	"strings"

	"github.com/saslkit/saslkit/core/internal/stringprep"
)

// SCRAM is the client's SCRAM mechanism with the hash (RFC 5802, RFC 7677),
// not bound to the channel.
func SCRAM(h Hash, credentials Credentials) Mechanism {
	return &scram{hash: h, name: h.Mechanism(), credentials: credentials}
}

// SCRAMPlus is the client's SCRAM mechanism with the hash, bound to the
// channel.
func SCRAMPlus(h Hash, credentials Credentials) Mechanism {
	return &scram{hash: h, name: h.Mechanism() + plusSuffix, credentials: credentials}
}

type scram struct {
	hash        Hash
	name        string
	credentials Credentials
}

func (m *scram) Name() string           { return m.name }
func (m *scram) Properties() Properties { return scramProperties(m.hash) }
func (m *scram) New(t Terms) Exchange   { return &scramExchange{scram: m, terms: t} }

// scramProperties returns the properties of both sides.
func scramProperties(h Hash) Properties {
	return Properties{
		Repeatable: true, KeepsSecret: true, UsesPassword: true, ProvesServer: true,
		SendsGS2Flag: true, ConfirmsLists: true, NeedsKey: true,
		Unavailable: h.unavailable(),
	}
}

// scramExchange is the client's side of RFC 5802 s5:
//
//	C: client-first-message
//	S: server-first-message
//	C: client-final-message
//	S: server-final-message, as a challenge or with success
type scramExchange struct {
	*scram
	terms Terms
	step  int
	err   error
	ring  *keyring // nil = the Client remembers no keys

	credential  Credential // Username and Authzid as sent
	gs2         gs2Header
	nonce       string          // the client's part
	authMessage strings.Builder // AuthMessage, as far as it is known
	serverKey   Secret          // verifies the server's signature
	proof       Secret          // in base64, as sent
	typed, used Secret          // the password, before and after SASLprep
	prepared    bool            // SASLprep changed or refused the password
}

func (x *scramExchange) Step(ctx context.Context, in []byte) (out []byte, done bool, err error) {
	if x.err != nil {
		return nil, false, x.err
	}
	switch x.step {
	case 0:
		out, err = x.clientFirst(ctx)
	case 1:
		out, err = x.clientFinal(ctx, in)
	case 2:
		out, done, err = []byte{}, true, x.serverFinal(in)
	default:
		err = protocolError("%s: a challenge after the server-final-message", x.name)
	}
	x.step++
	if err != nil {
		x.err = err
		return nil, false, err
	}
	return out, done, nil
}

func (x *scramExchange) Identity() Identity {
	return Identity{Username: x.credential.Username, Authzid: x.credential.Authzid}
}

// clientFirst gets the credential, but not yet the password.
func (x *scramExchange) clientFirst(ctx context.Context) ([]byte, error) {
	credential, err := x.credentials.credential(ctx, x.name, &x.terms.Server)
	if err != nil {
		return nil, err
	}
	if err := x.setIdentity(credential); err != nil {
		return nil, err
	}
	x.gs2 = gs2Header{flag: x.terms.GS2Flag, authzid: x.credential.Authzid}
	if x.gs2.flag == 'p' {
		x.gs2.cbName, _ = x.terms.GS2Binding()
		if len(x.terms.Binding.Data) == 0 {
			return nil, configError("%s: the channel binding %s has no data", x.name, x.gs2.cbName)
		}
	}
	x.nonce = x.terms.newNonce()
	header := x.gs2.append(make([]byte, 0, usualMessage))
	out := (&clientFirst{username: x.credential.Username, nonce: x.nonce}).appendBare(header)
	x.authMessage.Grow(usualAuthMessage)
	x.authMessage.Write(out[len(header):])
	return out, nil
}

func (x *scramExchange) setIdentity(c Credential) (err error) {
	if c.Username, err = stringprep.Name(c.Username); err != nil {
		return configError("the username %w", err)
	}
	if err := checkName(c.Username); err != nil {
		return configError("the username %w", err)
	}
	if err := checkName(c.Authzid); err != nil {
		return configError("the authzid %w", err)
	}
	x.credential = c
	return nil
}

// clientFinal answers the server-first-message with the proof.
func (x *scramExchange) clientFinal(ctx context.Context, serverFirstMessage []byte) ([]byte, error) {
	x.authMessage.WriteByte(',')
	begin := x.authMessage.Len()
	x.authMessage.Write(serverFirstMessage)
	first, serverError, err := parseServerFirst(x.authMessage.String()[begin:])
	if err != nil {
		return nil, err
	}
	if serverError != "" {
		return nil, scramFailure(serverError)
	}
	if err := x.terms.SCRAM.check(x.name, x.nonce, &first); err != nil {
		return nil, err
	}
	if err := compareLists(x.name, x.hash, &x.terms, &first); err != nil {
		return nil, err
	}
	clientKey, err := x.keys(ctx, &first)
	if err != nil {
		return nil, err
	}
	var memory [64]byte
	cbindInput := x.gs2.append(memory[:0])
	if x.gs2.flag == 'p' {
		_, data := x.terms.GS2Binding()
		cbindInput = append(cbindInput, data...)
	}
	final := clientFinal{channelBinding: cbindInput, nonce: first.nonce}
	withoutProof := final.appendWithoutProof(make([]byte, 0, usualMessage))
	x.authMessage.WriteByte(',')
	x.authMessage.Write(withoutProof)
	var stored, proof hashValue
	final.proof = clientProof(proof[:0], x.hash, clientKey, storedKey(stored[:0], x.hash, clientKey), x.authMessage.String())
	out := final.appendProof(withoutProof)
	x.proof = hide(out[len(withoutProof)+len(",p="):])
	return out, nil
}

// SentSecrets also returns the password: some servers store the password, and can
// repeat it.
func (x *scramExchange) SentSecrets() []Secret { return []Secret{x.proof, x.typed, x.used} }

func (x *scramExchange) Hints() []Hint {
	switch {
	case errors.Is(x.err, errListUnconfirmed):
		return []Hint{HintList}
	case x.prepared:
		return []Hint{HintPreparation}
	}
	return nil
}

func (x *scramExchange) useKeys(ring *keyring) {
	ring.hash, ring.raw = x.hash, x.terms.SCRAM.RawPassword
	x.ring = ring
}

// keys sets the ServerKey and returns the ClientKey: the remembered keys if they fit,
// or the keys of the password.
func (x *scramExchange) keys(ctx context.Context, first *serverFirst) ([]byte, error) {
	if client, server, ok := x.ring.find(first); ok {
		x.serverKey = server
		return client.Bytes(), nil
	}
	password, err := x.password(ctx)
	if err != nil {
		return nil, err
	}
	salted, err := saltedPassword(ctx, x.hash, password, first.salt, first.iterations)
	if err != nil {
		return nil, err
	}
	client := clientKey(x.hash, salted)
	x.serverKey = hide(serverKey(x.hash, salted))
	x.ring.put(first, hide(client), x.serverKey)
	return client, nil
}

// password gets the password and prepares the password.
func (x *scramExchange) password(ctx context.Context) ([]byte, error) {
	password, err := x.credential.password(ctx)
	if err != nil {
		return nil, err
	}
	x.typed = NewSecret(password)
	if !x.terms.SCRAM.RawPassword {
		prepared, err := stringprep.Stored(string(password))
		x.prepared = err != nil || prepared != string(password)
		if err != nil {
			return nil, configError("the password %w", err)
		}
		password = []byte(prepared)
	}
	if len(password) == 0 {
		return nil, configError("the password is empty")
	}
	if x.used = x.typed; x.prepared {
		x.used = NewSecret(password)
	}
	return password, nil
}

func (x *scramExchange) serverFinal(message []byte) error {
	// A text of its own: a formatted exchange must not show the verifier.
	final, err := parseServerFinal(string(message))
	if err != nil {
		return err
	}
	if final.serverError != "" {
		return scramFailure(final.serverError)
	}
	var memory hashValue
	if subtle.ConstantTimeCompare(final.verifier, serverSignature(memory[:0], x.hash, x.serverKey.Bytes(), x.authMessage.String())) != 1 {
		return securityError("%s: the server's signature is wrong: the server does not know the password", x.name)
	}
	return nil
}

func (x *scramExchange) Describe(message []byte) string { return describeSCRAM(message) }
