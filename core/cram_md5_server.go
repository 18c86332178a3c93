package sasl

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"time"
)

// CRAMMD5Server is the server's CRAM-MD5 mechanism (RFC 2195), for clients that have
// nothing better: the mechanism is historic, and the server has to store the
// password itself. A user who does not exist costs the same work as one who does.
// The mechanism is unavailable if FIPS 140 is enforced.
//
// The challenge has random digits, the time and ConnInfo.Host, or "localhost" if Host
// is empty.
func CRAMMD5Server(lookup PasswordLookup) ServerMechanism { return cramMD5Server{lookup} }

type cramMD5Server struct{ lookup PasswordLookup }

func (cramMD5Server) Name() string { return cramMD5Name }

func (m cramMD5Server) Properties() Properties {
	return historicProperties(false).withCallback(m.lookup != nil)
}

func (m cramMD5Server) New(t ServerTerms) Exchange {
	return &cramMD5ServerExchange{cramMD5Server: m, terms: t}
}

type cramMD5ServerExchange struct {
	cramMD5Server
	terms     ServerTerms
	challenge []byte // nil = not sent
	identity  Identity
	received  bool // the response
	err       error
}

func (x *cramMD5ServerExchange) Identity() Identity { return x.identity }

func (x *cramMD5ServerExchange) Step(ctx context.Context, in []byte) (out []byte, done bool, err error) {
	switch {
	case x.err != nil:
	case in == nil && x.challenge == nil:
		x.challenge = x.newChallenge()
		return x.challenge, false, nil
	case x.challenge == nil:
		x.err = protocolError("%s: an initial response: the server sends the first message", cramMD5Name)
	case x.received:
		x.err = protocolError("%s: a message after the response", cramMD5Name)
	default:
		x.received = true
		x.err = x.verify(ctx, string(in))
	}
	return nil, x.err == nil, x.err
}

// newChallenge returns a msg-id of RFC 822, which no other exchange has.
func (x *cramMD5ServerExchange) newChallenge() []byte {
	host := x.terms.Conn.Host
	if host == "" {
		host = "localhost"
	}
	return fmt.Appendf(nil, "<%s@%s>", x.newID(), host)
}

// newID returns 128 random bits and the time, in decimal digits.
func (x *cramMD5ServerExchange) newID() string {
	if x.terms.nonce != nil {
		return x.terms.nonce()
	}
	var random [16]byte
	rand.Read(random[:]) // never fails
	high, low := binary.BigEndian.Uint64(random[:8]), binary.BigEndian.Uint64(random[8:])
	return fmt.Sprintf("%d%d.%d", high, low, time.Now().Unix())
}

func (x *cramMD5ServerExchange) verify(ctx context.Context, message string) error {
	username, digest, ok := cutCRAMMD5(message)
	if !ok {
		return protocolError("%s: the response is not a username, a space and 32 lower-case hexadecimal digits", cramMD5Name)
	}
	id, err := x.terms.Identity(username, "")
	if err != nil {
		return err
	}
	password, err := x.lookup.password(ctx, id.Username)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(cramMD5Digest(password, x.challenge)), []byte(digest)) != 1 {
		return classed(ErrAuthentication, "%s: the digest is wrong", cramMD5Name)
	}
	x.identity = id
	return x.terms.Authorize(ctx, id)
}
