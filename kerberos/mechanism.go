package saslkerberos

import (
	sasl "github.com/saslkit/saslkit/core"
)

// mechanism is a mechanism of this package with its credentials.
type mechanism struct {
	name      string
	binds     sasl.Binds
	gs2       bool // the first message has a gs2-header
	exchange  func(handshake) sasl.Exchange
	initiator Initiator
	options   Options
}

func newMechanism(name string, binds sasl.Binds, exchange func(handshake) sasl.Exchange, initiator Initiator, options *Options) *mechanism {
	m := &mechanism{name: name, binds: binds, exchange: exchange, initiator: initiator}
	if options != nil {
		m.options = *options
	}
	return m
}

func (m *mechanism) Name() string { return m.name }

func (m *mechanism) Properties() sasl.Properties {
	return sasl.Properties{
		KeepsSecret: true, ProvesServer: true, Binds: m.binds, SendsGS2Flag: m.gs2,
		Layers: !m.gs2, SafeWithoutTLS: !m.gs2, // GS2 has no layer (RFC 5801 s1)
	}
}

func (m *mechanism) New(terms sasl.Terms) sasl.Exchange {
	return m.exchange(handshake{mechanism: m, terms: terms})
}

// Mechanisms returns all mechanisms of this package, most preferred first: the
// mechanisms whose names promise a channel binding before the others. GSS-SPNEGO has
// no authzid, so it is missing if the options have an authzid.
func Mechanisms(initiator Initiator, options *Options) []sasl.Mechanism {
	bound := []sasl.Mechanism{GSSAPIPlus(initiator, options), GS2KRB5Plus(initiator, options)}
	unbound := []sasl.Mechanism{GSSAPI(initiator, options)}
	if options == nil || options.Authzid == "" {
		bound = append(bound, SPNEGOPlus(initiator, options))
		unbound = append(unbound, SPNEGO(initiator, options))
	}
	return append(append(bound, unbound...), GS2KRB5(initiator, options))
}
