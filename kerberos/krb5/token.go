package krb5

import (
	"crypto/hmac"
	"encoding/binary"
	"fmt"

	"github.com/jcmturner/gokrb5/v8/crypto/etype"
	sasl "github.com/saslkit/saslkit/core"
)

// The header of a token (RFC 4121 s4.2.6):
//
//	Wrap  05 04 flags ff  EC (2)  RRC (2)  sequence number (8)
//	MIC   04 04 flags ff  ff ff ff ff      sequence number (8)
const (
	headerSize = 16
	tokenWrap  = 0x0504
	tokenMIC   = 0x0404

	fromAcceptor = 1 // flags
	sealedFlag   = 2
	acceptorFlag = 4
)

// The key usages of RFC 4121 s2.
const (
	usageAcceptorSeal  = 22
	usageAcceptorSign  = 23
	usageInitiatorSeal = 24
	usageInitiatorSign = 25
)

var errEarly = fmt.Errorf("%w: the security context is not established", sasl.ErrProtocol)

// header returns the header of a token, with EC and RRC of 0.
func (c *securityContext) header(id uint16, sealed bool, sequence uint64) []byte {
	flags := byte(0)
	if c.acceptorKey {
		flags |= acceptorFlag
	}
	if sealed {
		flags |= sealedFlag
	}
	h := binary.BigEndian.AppendUint16(make([]byte, 0, headerSize), id)
	h = append(h, flags, 0xff)
	if id == tokenMIC {
		h = append(h, 0xff, 0xff, 0xff, 0xff)
	} else {
		h = append(h, 0, 0, 0, 0)
	}
	return binary.BigEndian.AppendUint64(h, sequence)
}

func (c *securityContext) algorithm() (etype.EType, error) {
	if !c.established {
		return nil, errEarly
	}
	return c.key.algorithm()
}

// Wrap makes a Wrap token (RFC 4121 s4.2.4), which is not rotated.
func (c *securityContext) Wrap(message []byte, seal bool) ([]byte, error) {
	algorithm, err := c.algorithm()
	if err != nil {
		return nil, err
	}
	header := c.header(tokenWrap, seal, c.toSend)
	c.toSend++
	if seal {
		token := make([]byte, 0, len(message)+4*headerSize+2*blockSize)
		return c.sealer.seal(append(token, header...), message, header), nil
	}
	plain := make([]byte, 0, len(message)+headerSize)
	plain = append(append(plain, message...), header...)
	sum, err := algorithm.GetChecksumHash(c.key.octets(), plain, usageInitiatorSeal)
	if err != nil {
		return nil, protocolError("a message cannot be protected: %w", err)
	}
	binary.BigEndian.PutUint16(header[4:], uint16(len(sum)))
	return append(append(header, message...), sum...), nil
}

// Unwrap verifies a Wrap token of the acceptor. A token that does not verify, or
// that is not the next one, is an ErrSecurity.
func (c *securityContext) Unwrap(token []byte) (message []byte, sealed bool, err error) {
	algorithm, err := c.algorithm()
	if err != nil {
		return nil, false, err
	}
	if len(token) < headerSize || binary.BigEndian.Uint16(token) != tokenWrap {
		return nil, false, securityError("the server's message is not a Wrap token")
	}
	sealed = token[2]&sealedFlag != 0
	want := c.header(tokenWrap, sealed, c.toBeReceived)
	want[2] |= fromAcceptor
	extra, rotation := binary.BigEndian.Uint16(token[4:]), binary.BigEndian.Uint16(token[6:])
	copy(want[4:6], token[4:6])
	if string(token[:4]) != string(want[:4]) || string(token[8:headerSize]) != string(want[8:]) {
		return nil, false, securityError("a token of the server is repeated, missing, or for another connection")
	}
	body := rotate(token[headerSize:], int(rotation))
	if sealed {
		message, err = c.unseal(body, want, int(extra))
	} else {
		message, err = c.unsign(algorithm, body, want, int(extra))
	}
	if err != nil {
		return nil, false, err
	}
	c.toBeReceived++
	return message, sealed, nil
}

// rotate returns octets rotated to the left: RRC counts to the right (RFC 4121
// s4.2.5).
func rotate(b []byte, count int) []byte {
	if len(b) == 0 || count%len(b) == 0 {
		return b
	}
	count %= len(b)
	rotated := make([]byte, 0, len(b))
	return append(append(rotated, b[count:]...), b[:count]...)
}

func (c *securityContext) unseal(body, header []byte, extra int) (message []byte, err error) {
	plain := c.opener.open(body)
	end := len(plain) - headerSize - extra
	if end < 0 || !hmac.Equal(plain[len(plain)-headerSize:], header) {
		return nil, errToken
	}
	return plain[:end], nil
}

func (c *securityContext) unsign(algorithm etype.EType, body, header []byte, extra int) ([]byte, error) {
	end := len(body) - extra
	if end < 0 {
		return nil, errToken
	}
	signed := make([]byte, 0, end+headerSize)
	signed = append(append(signed, body[:end]...), header...)
	copy(signed[end+4:], "\x00\x00") // the checksum is over an EC of 0
	sum, err := algorithm.GetChecksumHash(c.key.octets(), signed, usageAcceptorSeal)
	if err != nil || !hmac.Equal(sum, body[end:]) {
		return nil, errToken
	}
	return body[:end:end], nil
}

var errToken = securityError("a token of the server does not verify")

// WrapLimit returns the largest message that fits into a token.
func (c *securityContext) WrapLimit(size int, seal bool) int {
	algorithm, err := c.algorithm()
	if err != nil {
		return 0
	}
	overhead := headerSize + algorithm.GetHMACBitLength()/8
	if seal {
		overhead += algorithm.GetConfounderByteSize() + headerSize
	}
	return max(size-overhead, 0)
}

// MIC makes a MIC token (RFC 4121 s4.2.6.1).
func (c *securityContext) MIC(message []byte) ([]byte, error) {
	algorithm, err := c.algorithm()
	if err != nil {
		return nil, err
	}
	header := c.header(tokenMIC, false, c.toSend)
	c.toSend++
	sum, err := algorithm.GetChecksumHash(c.key.octets(), append(append([]byte(nil), message...), header...), usageInitiatorSign)
	if err != nil {
		return nil, protocolError("a message cannot be protected: %w", err)
	}
	return append(header, sum...), nil
}

// VerifyMIC verifies a MIC token of the acceptor.
func (c *securityContext) VerifyMIC(message, mic []byte) error {
	algorithm, err := c.algorithm()
	if err != nil {
		return err
	}
	header := c.header(tokenMIC, false, c.toBeReceived)
	header[2] |= fromAcceptor
	if len(mic) < headerSize || !hmac.Equal(mic[:headerSize], header) {
		return errToken
	}
	sum, err := algorithm.GetChecksumHash(c.key.octets(), append(append([]byte(nil), message...), header...), usageAcceptorSign)
	if err != nil || !hmac.Equal(sum, mic[headerSize:]) {
		return errToken
	}
	c.toBeReceived++
	return nil
}
