package sasl

import (
	"fmt"
	"slices"
	"strings"
)

// plusSuffix ends the name of a mechanism that binds (RFC 5801 s4).
const plusSuffix = "-PLUS"

// choice is what a run will use: decided once, before anything is sent.
type choice struct {
	mechanism Mechanism
	binding   ChannelBinding // the zero value unless flag is 'p'
	flag      byte
	confirm   bool   // the server has to confirm its lists
	token     *Token // what the mechanism logs in with, if that is a token
}

// bindingChoice is what of the connection can be bound to.
type bindingChoice struct {
	usable  ChannelBinding // the zero value if there is none
	refused error          // why usable is empty; nil if it is not
	y       bool           // the gs2 flag of a mechanism that does not bind
	cut     bool           // a list may have been cut: the server has to confirm it
}

func (c *Client) choose(srv *ServerInfo) (choice, error) {
	if len(c.Mechanisms) == 0 {
		return choice{}, configError("the Client has no mechanisms")
	}
	binding, err := c.chooseBinding(srv)
	if err != nil {
		return choice{}, err
	}
	for _, m := range c.Mechanisms {
		if c.passOver(m, srv, &binding) != nil {
			continue
		}
		switch {
		case isPlus(m):
			return choice{mechanism: m, binding: binding.usable, flag: 'p'}, nil
		case binding.y:
			return choice{mechanism: m, flag: 'y'}, nil
		}
		return choice{mechanism: m, flag: 'n', confirm: binding.cut}, nil
	}
	return choice{}, c.nothingUsable(srv, &binding)
}

// usable says why a mechanism cannot be used in this process, or nil.
func usable(m any) error {
	if m, ok := m.(interface{ usable() error }); ok {
		return m.usable()
	}
	return nil
}

func isPlus(m Mechanism) bool { return strings.HasSuffix(m.Name(), plusSuffix) }

// chooseBinding decides between the rows of the table that binds:
//
//	p  a -PLUS mechanism is used
//	y  the policy allows binding, there is something to bind to, a -PLUS is
//	   among our mechanisms, and the server offers none of ours: if it does have
//	   one, somebody took it out of the list, and the server will see
//	n  otherwise
//
// and where a list may have been cut by half, because the server offers -PLUS
// and lists its types (XEP-0440) and none of them is ours, stops or, in a profile
// that has XEP-0474, goes on with what lets the server confirm its lists. A -PLUS
// that we do not have counts for nothing: whoever takes ours out of the list
// could put it there.
func (c *Client) chooseBinding(srv *ServerInfo) (bindingChoice, error) {
	if c.Binding == DisableBinding {
		return bindingChoice{refused: errBindDisabled}, nil
	}
	ours, err := c.ourBindings(srv)
	if err != nil {
		return bindingChoice{}, err
	}
	if len(ours) == 0 {
		return bindingChoice{refused: errNoBinding}, nil
	}
	have, offered := false, false
	for _, m := range c.Mechanisms {
		if isPlus(m) && usable(m) == nil {
			have = true
			offered = offered || slices.Contains(srv.Mechanisms, m.Name())
		}
	}
	if !offered {
		return bindingChoice{usable: ours[0], y: have}, nil
	}
	if srv.AdvertisedBindings == nil {
		return bindingChoice{usable: ours[0]}, nil
	}
	for _, b := range ours {
		if slices.Contains(srv.AdvertisedBindings, b.Type) {
			return bindingChoice{usable: b}, nil
		}
	}
	none := fmt.Errorf("the server binds to %s, this connection to %s",
		Printable(strings.Join(srv.AdvertisedBindings, " ")), typesOf(ours))
	cut := c.Binding == PreferBinding && !endPointUndefined(srv)
	if cut && !srv.Downgrade {
		return bindingChoice{}, securityError("%w: was a list cut? BindingTypes or DisableBinding say otherwise", none)
	}
	return bindingChoice{refused: none, cut: cut}, nil
}

// endPointUndefined tells whether the one type that the server lists is
// tls-server-end-point, which a certificate may leave undefined (RFC 5929
// s4.1): then nothing was cut.
func endPointUndefined(srv *ServerInfo) bool {
	const endPoint = "tls-server-end-point"
	return slices.Equal(srv.AdvertisedBindings, []string{endPoint}) &&
		!slices.ContainsFunc(srv.Bindings, func(b ChannelBinding) bool { return b.Type == endPoint })
}

// ourBindings is what the connection offers and BindingTypes allows.
func (c *Client) ourBindings(srv *ServerInfo) ([]ChannelBinding, error) {
	for _, b := range srv.Bindings {
		if !validBindingType(b.Type) || !validBindingType(b.cbName()) || len(b.Data) == 0 {
			return nil, configError("the channel binding %q has no data or no valid name", b.Type)
		}
	}
	if c.BindingTypes == nil {
		return srv.Bindings, nil
	}
	var ours []ChannelBinding
	for _, name := range c.BindingTypes {
		for _, b := range srv.Bindings {
			if b.Type == name {
				ours = append(ours, b)
			}
		}
	}
	return ours, nil
}

func typesOf(bindings []ChannelBinding) string {
	names := make([]string, len(bindings))
	for i, b := range bindings {
		names[i] = b.Type
	}
	return strings.Join(names, " ")
}
