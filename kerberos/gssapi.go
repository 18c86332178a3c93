package saslkerberos

import (
	"context"
	"fmt"

	sasl "github.com/saslkit/saslkit/core"
)

const (
	gssapiName     = "GSSAPI"
	gssapiPlusName = "GSSAPI-PLUS"
)

// GSSAPI returns the client's mechanism GSSAPI (RFC 4752), which is Kerberos. Nil
// options are the default.
//
// The name does not promise a channel binding. The mechanism binds if the profile
// has a type for it (sasl.ServerInfo.ProfileBinding), as LDAP has, or if the Client
// names or requires a binding. Only some servers check such a binding.
func GSSAPI(initiator Initiator, options *Options) sasl.Mechanism {
	return newMechanism(gssapiName, sasl.BindsAlways, newGSSAPI, initiator, options)
}

// GSSAPIPlus returns the mechanism GSSAPI-PLUS. It differs from GSSAPI in that its
// name promises a channel binding, so a server that offers it checks the binding.
func GSSAPIPlus(initiator Initiator, options *Options) sasl.Mechanism {
	return newMechanism(gssapiPlusName, sasl.BindsByName, newGSSAPI, initiator, options)
}

func newGSSAPI(h handshake) sasl.Exchange { return &gssapi{handshake: h} }

// gssapi is a run of RFC 4752:
//
//	C: token                        until the context is established
//	S: token
//	C: empty
//	S: Wrap(layers, maximum size)   offer
//	C: Wrap(layer, maximum size, authzid)
type gssapi struct {
	handshake
	state gssapiState
	err   error
}

type gssapiState uint8

const (
	establishing gssapiState = iota
	awaitingOffer
	chosen
)

func (x *gssapi) Step(ctx context.Context, in []byte) (out []byte, done bool, err error) {
	if x.err == nil {
		out, x.err = x.next(ctx, in)
	}
	if x.err != nil {
		return nil, false, x.err
	}
	return out, x.state == chosen, nil
}

func (x *gssapi) next(ctx context.Context, in []byte) ([]byte, error) {
	switch x.state {
	case establishing:
		out, established, err := x.establish(ctx, in, Request{Integrity: true, Confidentiality: x.demandsLayer()}) // Wrap needs Integrity
		if established {
			x.state = awaitingOffer
		}
		if established && out == nil {
			out = []byte{}
		}
		return out, err
	case awaitingOffer:
		x.state = chosen
		return x.choose(in)
	}
	return nil, fmt.Errorf("%w: a challenge after the security layer was chosen", sasl.ErrProtocol)
}
