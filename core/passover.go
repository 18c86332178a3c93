package sasl

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The reasons why a mechanism of the Client is passed over. They are values
// because a ladder of thirteen asks for them at every login.
var (
	errNotOffered   = errors.New("not offered by the server")
	errNoBinding    = errors.New("there is nothing to bind to on this connection")
	errUnbound      = errors.New("it does not bind to the channel, which RequireBinding demands")
	errBindDisabled = errors.New("DisableBinding")
	errAfterToken   = errors.New("it hands the secret to whoever has just been sent a token and did not take it")
	errUnconfirmed  = errors.New("the server cannot confirm with it that its list of channel bindings is whole")
)

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
	if c.sentToken && handsSecretOver(name) {
		return errAfterToken
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

// handsSecretOver tells whether the server learns with the mechanism what logs
// in elsewhere too.
func handsSecretOver(mechanism string) bool {
	return slices.Contains([]string{"PLAIN", "LOGIN", "OAUTHBEARER", "XOAUTH2"}, mechanism)
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
