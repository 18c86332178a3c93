package sasl

import (
	"errors"
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
	confirm   bool // the server has to confirm its lists
}

// The reasons why a mechanism of the Client is passed over. They are values
// because a ladder of thirteen asks for them at every login.
var (
	errNotOffered   = errors.New("not offered by the server")
	errNoBinding    = errors.New("there is nothing to bind to on this connection")
	errUnbound      = errors.New("it does not bind to the channel, which RequireBinding demands")
	errBindDisabled = errors.New("DisableBinding")
	errUnconfirmed  = errors.New("the server cannot confirm with it that its list of channel bindings is whole")
)

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

// passOver says why a mechanism of the Client is not used, or nil.
func (c *Client) passOver(m Mechanism, srv *ServerInfo, binding *bindingChoice) error {
	name := m.Name()
	if !validName(name) || !slices.Contains(srv.Mechanisms, name) {
		return errNotOffered
	}
	if err := usable(m); err != nil {
		return err
	}
	if isPlus(m) && binding.refused != nil {
		return binding.refused
	}
	if !isPlus(m) && c.Binding == RequireBinding {
		return errUnbound
	}
	if _, confirms := m.(interface{ confirmsLists() }); binding.cut && !confirms {
		return errUnconfirmed
	}
	if c.Allow == nil {
		return SecureOnly(name, *srv)
	}
	return c.Allow(name, *srv)
}

// errUnbindable is the class of a run whose binding is required and cannot be
// had: refused here, and somebody may have taken it away.
type errUnbindable struct{}

func (errUnbindable) Error() string   { return ErrPolicy.Error() }
func (errUnbindable) Unwrap() []error { return []error{ErrPolicy, ErrSecurity} }

// nothingUsable is the error of a run for which no mechanism is left.
func (c *Client) nothingUsable(srv *ServerInfo, binding *bindingChoice) error {
	reasons, unbindable := c.reasons(srv, binding)
	class := error(ErrPolicy)
	if c.Binding == RequireBinding && unbindable {
		class = errUnbindable{}
	}
	offered := Printable(strings.Join(srv.Mechanisms, " "))
	if offered == "" {
		offered = "no mechanism"
	}
	if reasons == nil {
		return fmt.Errorf("%w: no common mechanism: the server offers %s", class, offered)
	}
	err := fmt.Errorf("%w: no mechanism is left: the server offers %s", class, offered)
	for _, r := range reasons {
		err = fmt.Errorf("%w; %s: %w", err, strings.Join(r.mechanisms, " "), r.reason)
	}
	return err
}

// passedOver are mechanisms with one reason why they are not used.
type passedOver struct {
	mechanisms []string
	reason     error
}

// reasons says why mechanisms that the server offers are passed over, and
// whether nothing but the binding keeps those back that bind.
func (c *Client) reasons(srv *ServerInfo, binding *bindingChoice) (list []passedOver, unbindable bool) {
	unbindable = true
	for _, m := range c.Mechanisms {
		reason := c.passOver(m, srv, binding)
		if reason == nil || reason == errNotOffered {
			continue
		}
		if reason != errUnbound && reason != binding.refused {
			unbindable = false
		}
		i := slices.IndexFunc(list, func(p passedOver) bool { return p.reason.Error() == reason.Error() })
		if i < 0 {
			i, list = len(list), append(list, passedOver{reason: reason})
		}
		list[i].mechanisms = append(list[i].mechanisms, m.Name())
	}
	return list, unbindable
}

// notTried names the mechanisms that the server offers and the policy allows,
// but for the one that was used.
func (c *Client) notTried(srv *ServerInfo, used string) string {
	binding, err := c.chooseBinding(srv)
	if err != nil {
		return ""
	}
	var names []string
	for _, m := range c.Mechanisms {
		if m.Name() != used && c.passOver(m, srv, &binding) == nil {
			names = append(names, m.Name())
		}
	}
	return strings.Join(names, " ")
}
