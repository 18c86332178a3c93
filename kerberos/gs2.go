package saslkerberos

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/kerberos/internal/der"
)

const (
	gs2Name     = "GS2-KRB5"
	gs2PlusName = "GS2-KRB5-PLUS"
)

// GS2KRB5 returns the client's mechanism GS2-KRB5 (RFC 5801). Nil options are the
// default. The mechanism has no security layer.
func GS2KRB5(initiator Initiator, options *Options) sasl.Mechanism {
	return newGS2Mechanism(gs2Name, initiator, options)
}

// GS2KRB5Plus returns the mechanism GS2-KRB5-PLUS, which differs from GS2-KRB5 in its
// channel binding.
func GS2KRB5Plus(initiator Initiator, options *Options) sasl.Mechanism {
	return newGS2Mechanism(gs2PlusName, initiator, options)
}

func newGS2Mechanism(name string, initiator Initiator, options *Options) sasl.Mechanism {
	m := newMechanism(name, sasl.BindsByName, func(h handshake) sasl.Exchange { return &gs2{handshake: h} }, initiator, options)
	m.gs2 = true
	return m
}

// gs2 is a run of RFC 5801:
//
//	C: gs2-header token   the token without its frame
//	S: token
type gs2 struct {
	handshake
	started, established bool
	err                  error
}

func (x *gs2) Step(ctx context.Context, in []byte) (out []byte, done bool, err error) {
	if x.err == nil {
		out, x.err = x.next(ctx, in)
	}
	if x.err != nil {
		return nil, false, x.err
	}
	return out, x.established, nil
}

func (x *gs2) next(ctx context.Context, in []byte) (out []byte, err error) {
	switch {
	case x.established:
		return nil, fmt.Errorf("%w: a challenge after the server's proof", sasl.ErrProtocol)
	case !x.started:
		x.started = true
		header, binding := x.header()
		// The context protects the header, and with it the flag and the authzid.
		token, _, err := x.establish(ctx, in, Request{ChannelBinding: append([]byte(header), binding...)})
		if err != nil {
			return nil, err
		}
		message, ok := withoutFrame(token)
		if !ok {
			return nil, fmt.Errorf("%w: the Initiator's token is not a token of Kerberos", sasl.ErrConfig)
		}
		return append([]byte(header), message...), nil
	}
	if out, x.established, err = x.establish(ctx, in, Request{}); err == nil && out == nil {
		out = []byte{}
	}
	return out, err
}

// header returns the gs2-header (RFC 5801 s4) and the channel-binding data.
func (x *gs2) header() (header string, binding []byte) {
	flag := string(x.terms.GS2Flag)
	if x.terms.GS2Flag == 'p' {
		var name string
		name, binding = x.terms.GS2Binding()
		flag += "=" + name
	}
	authzid := ""
	if x.mechanism.options.Authzid != "" {
		authzid = "a=" + strings.NewReplacer("=", "=3D", ",", "=2C").Replace(x.mechanism.options.Authzid)
	}
	return flag + "," + authzid + ",", binding
}

// withoutFrame returns the content of a token of RFC 2743 s3.1 that follows the
// object identifier of Kerberos.
func withoutFrame(token []byte) ([]byte, bool) {
	content, rest, ok := der.Read(token, tagToken)
	message, found := bytes.CutPrefix(content, der.Append(nil, tagOID, kerberosOID))
	return message, ok && found && len(rest) == 0
}
