package krb5

import (
	"bytes"
	"crypto/fips140"
	"crypto/md5"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana"
	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
	sasl "github.com/saslkit/saslkit/core"
	saslkerberos "github.com/saslkit/saslkit/kerberos"
	"github.com/saslkit/saslkit/kerberos/internal/der"
)

// securityContext is the initiator's side of RFC 4121.
type securityContext struct {
	client      principal
	request     []byte    // the first token; nil once it is sent
	session     key       // of the ticket
	time        time.Time // of the authenticator, which the acceptor repeats
	established bool

	key                  key  // protects the messages
	acceptorKey          bool // key is the acceptor's
	toSend, toBeReceived uint64
	sealer, opener       *sealer // of the initiator's and the acceptor's messages
}

// The flags of a context (RFC 4121 s4.1.1.1).
const (
	flagMutual       = 2
	flagReplay       = 4
	flagSequence     = 8
	flagConfidential = 16
	flagIntegrity    = 32
)

// The first two octets of a token (RFC 4121 s4.1).
const (
	tokenAPReq = 0x0100
	tokenAPRep = 0x0200
	tokenError = 0x0300
)

// newContext makes the first token with a ticket of the service.
func (l *login) newContext(t ticket) (saslkerberos.SecurityContext, error) {
	if err := l.valid(&t); err != nil {
		return nil, err
	}
	if l.request.ChannelBinding != nil && fips140.Enforced() {
		return nil, fmt.Errorf("%w: FIPS 140 does not allow MD5, which Kerberos needs for a channel binding", sasl.ErrPolicy)
	}
	flags := uint32(flagMutual | flagReplay | flagSequence)
	if l.request.Integrity {
		flags |= flagIntegrity
	}
	if l.request.Confidentiality {
		flags |= flagConfidential
	}
	c := &securityContext{client: l.client, session: t.key}
	subkey := make([]byte, keySize(t.key.etype))
	rand.Read(subkey)
	c.key = newKey(t.key.etype, subkey)

	a := l.authenticator()
	a.Cksum = types.Checksum{CksumType: 0x8003, Checksum: checksum(l.request.ChannelBinding, flags)}
	a.SubKey = c.key.library()
	a.SeqNumber = int64(randomUint31())
	c.time = a.CTime.Add(time.Duration(a.Cusec) * time.Microsecond)
	c.toSend = uint64(a.SeqNumber)
	proof, err := encodeAPReq(&t, a, true)
	if err != nil {
		return nil, protocolError("the ticket is malformed")
	}
	c.request = frame(tokenAPReq, proof)
	return c, nil
}

// authenticator returns an authenticator (RFC 4120 s5.5.1) without checksum and key.
func (l *login) authenticator() types.Authenticator {
	now := l.now().UTC()
	return types.Authenticator{
		AVNO:   iana.PVNO,
		CRealm: l.client.realm,
		CName:  l.client.wire(nametype.KRB_NT_PRINCIPAL),
		CTime:  now.Truncate(time.Second),
		Cusec:  now.Nanosecond() / 1000,
	}
}

// encodeAPReq encodes an AP-REQ (RFC 4120 s5.5.1). If mutual is set, the acceptor
// has to prove that it knows the ticket's key.
func encodeAPReq(t *ticket, a types.Authenticator, mutual bool) (encoded []byte, err error) {
	err = guard(func() error {
		var decoded messages.Ticket
		if err := decoded.Unmarshal(t.encoded); err != nil {
			return err
		}
		request, err := messages.NewAPReq(decoded, t.key.library(), a)
		if err != nil {
			return err
		}
		if mutual {
			const mutualRequired = 2
			types.SetFlag(&request.APOptions, mutualRequired)
		}
		encoded, err = request.Marshal()
		return err
	})
	return encoded, err
}

// checksum is the authenticator's checksum (RFC 4121 s4.1.1): the flags, and the
// hash of the channel binding.
func checksum(binding []byte, flags uint32) []byte {
	sum := binary.LittleEndian.AppendUint32(nil, 16)
	sum = append(sum, bindingHash(binding)...)
	return binary.LittleEndian.AppendUint32(sum, flags)
}

// bindingHash is the MD5 of a channel binding without addresses; zeros if there is
// no channel binding. It needs no strength of its own: the session key protects it.
func bindingHash(binding []byte) []byte {
	if binding == nil {
		return make([]byte, md5.Size)
	}
	bindings := make([]byte, 16, 20+len(binding)) // no addresses
	bindings = binary.LittleEndian.AppendUint32(bindings, uint32(len(binding)))
	sum := md5.Sum(append(bindings, binding...))
	return sum[:]
}

// Initiator returns the user's principal with its realm.
func (c *securityContext) Initiator() string { return c.client.String() }

// Step returns the AP-REQ first, and then takes the AP-REP.
func (c *securityContext) Step(in []byte) (out []byte, established bool, err error) {
	switch {
	case c.request != nil && in == nil:
		out, c.request = c.request, nil
		return out, false, nil
	case c.request != nil || c.established:
		return nil, false, protocolError("an unexpected token of the server")
	}
	id, message, ok := unframe(in)
	switch {
	case !ok:
		return nil, false, protocolError("the server's token is malformed")
	case id == tokenError:
		err = refusal(message)
		if err == nil {
			err = protocolError("the server's Kerberos error is malformed")
		}
		return nil, false, err
	case id != tokenAPRep:
		return nil, false, protocolError("the server's token is of the unexpected type %04x", id)
	}
	if err := c.verify(message); err != nil {
		return nil, false, err
	}
	c.established = true
	return nil, true, nil
}

// verify checks the AP-REP (RFC 4120 s3.2.5), with which the acceptor proves that it
// knows the key of the service.
func (c *securityContext) verify(message []byte) error {
	var reply messages.APRep
	if err := guard(func() error { return reply.Unmarshal(message) }); err != nil {
		return protocolError("the server's proof is malformed")
	}
	plain, err := c.session.decrypt(reply.EncPart, 12)
	if err != nil {
		return securityError("the server does not know the key of the service")
	}
	var part messages.EncAPRepPart
	if err := guard(func() error { return part.Unmarshal(plain) }); err != nil {
		return protocolError("the server's proof is malformed")
	}
	if !part.CTime.Add(time.Duration(part.Cusec) * time.Microsecond).Equal(c.time) {
		return securityError("the server's proof is for another login")
	}
	if part.Subkey.KeyType != 0 {
		c.key, c.acceptorKey = newKey(part.Subkey.KeyType, part.Subkey.KeyValue), true
		if _, err := c.key.algorithm(); err != nil {
			return fmt.Errorf("%w: the server chose a key of a type that was not asked for", sasl.ErrPolicy)
		}
	}
	c.toBeReceived = uint64(uint32(part.SequenceNumber))
	if c.sealer, err = c.key.newSealer(usageInitiatorSeal); err != nil {
		return err
	}
	c.opener, err = c.key.newSealer(usageAcceptorSeal)
	return err
}

// mechanism is the OID of Kerberos, 1.2.840.113554.1.2.2, in DER (RFC 1964 s1).
var mechanism = []byte("\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02")

// frame puts a message into the token of RFC 2743 s3.1.
func frame(id uint16, message []byte) []byte {
	content := binary.BigEndian.AppendUint16(append([]byte(nil), mechanism...), id)
	return der.Append(nil, 0x60, append(content, message...))
}

// unframe undoes frame.
func unframe(token []byte) (id uint16, message []byte, ok bool) {
	content, rest, ok := der.Read(token, 0x60)
	content, found := bytes.CutPrefix(content, mechanism)
	if !ok || !found || len(rest) > 0 || len(content) < 2 {
		return 0, nil, false
	}
	return binary.BigEndian.Uint16(content), content[2:], true
}
