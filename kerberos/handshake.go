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
}

// establish passes the acceptor's token to the security context, which it starts
// first if necessary. bindingForm returns the application data of a binding.
func (h *handshake) establish(ctx context.Context, in []byte, bindingForm func(sasl.ChannelBinding) []byte) (out []byte, established bool, err error) {
	if h.context == nil {
		if len(in) > 0 {
			return nil, false, fmt.Errorf("%w: a challenge before the client's first message", sasl.ErrProtocol)
		}
		if err := h.start(ctx, bindingForm); err != nil {
			return nil, false, err
		}
		in = nil
	}
	return h.context.Step(in)
}

func (h *handshake) start(ctx context.Context, bindingForm func(sasl.ChannelBinding) []byte) error {
	m := h.mechanism
	if m.initiator == nil {
		return fmt.Errorf("%w: %s has no Initiator: pass one, for example krb5.Cache", sasl.ErrConfig, m.name)
	}
	if err := m.options.checkAuthzid(); err != nil {
		return err
	}
	service, err := m.options.servicePrincipal(&h.terms.Server)
	if err != nil {
		return err
	}
	request := Request{
		Service:   service,
		Integrity: true, // Wrap needs it
		Prompt:    sasl.Prompt{Mechanism: m.name, Server: h.terms.Server},
	}
	if h.terms.Binding.Type != "" {
		request.ChannelBinding = bindingForm(h.terms.Binding)
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
