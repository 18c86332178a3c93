package saslkerberos

import (
	"context"
	"fmt"

	sasl "github.com/saslkit/saslkit/core"
)

// handshake establishes the security context of a run.
type handshake struct {
	mechanism *mechanism
	terms     sasl.Terms
	context   SecurityContext // nil until the first step
	layer     *layer          // nil = none
	disagrees bool            // the server does not offer the layer that the run demands
	// awaiting: the server has the client's token and has not proved anything.
	awaiting bool
}

// establish passes the acceptor's token to the security context, which it starts
// with the request first if necessary. The ChannelBinding of a request that has none
// is the binding of the terms.
func (h *handshake) establish(ctx context.Context, in []byte, request Request) (out []byte, established bool, err error) {
	if h.context == nil {
		if len(in) > 0 {
			return nil, false, fmt.Errorf("%w: a challenge before the client's first message", sasl.ErrProtocol)
		}
		if err := h.start(ctx, request); err != nil {
			return nil, false, err
		}
		in = nil
	}
	out, established, err = h.context.Step(in)
	h.awaiting = err == nil && !established
	return out, established, err
}

// Hints are the causes for which servers have one answer.
func (h *handshake) Hints() []sasl.Hint {
	switch {
	case h.disagrees && h.terms.Server.CarriesLayer:
		return []sasl.Hint{sasl.HintLayer}
	case !h.awaiting:
		return nil
	}
	return []sasl.Hint{sasl.HintServiceKey, sasl.HintClock}
}

func (h *handshake) start(ctx context.Context, request Request) (err error) {
	m := h.mechanism
	if m.initiator == nil {
		return fmt.Errorf("%w: %s has no Initiator: pass one, for example krb5.Cache", sasl.ErrConfig, m.name)
	}
	if err := m.options.checkAuthzid(); err != nil {
		return err
	}
	if request.Service, err = m.options.servicePrincipal(&h.terms.Server); err != nil {
		return err
	}
	request.Prompt = sasl.Prompt{Mechanism: m.name, Server: h.terms.Server}
	if request.ChannelBinding == nil && h.terms.Binding.Type != "" {
		request.ChannelBinding = h.terms.Binding.Prefixed()
	}
	started, err := m.initiator(ctx, request)
	switch {
	case err != nil:
		return err
	case started == nil:
		return fmt.Errorf("%w: the Initiator of %s returned no security context", sasl.ErrConfig, m.name)
	}
	h.context = started
	return nil
}

func (h *handshake) Identity() sasl.Identity {
	id := sasl.Identity{Authzid: h.mechanism.options.Authzid}
	if h.context != nil {
		id.Username = h.context.Initiator()
	}
	return id
}

// SentSecrets returns nothing: the keys never leave the security context, and a
// token is of no use to another server.
func (*handshake) SentSecrets() []sasl.Secret { return nil }

// Describe shows no octets: a token says nothing to people.
func (*handshake) Describe(message []byte) string {
	if len(message) == 0 {
		return "empty"
	}
	return fmt.Sprintf("token, %d octets", len(message))
}
