package sasl

import (
	"errors"
	"slices"
)

// candidate is a mechanism that a login may use, with its binding and gs2 flag, or
// with the reason why the mechanism is not used.
type candidate struct {
	mechanism  Mechanism
	name       string
	properties Properties
	forbidden  error // the policy's error, regardless of the server's list; nil = allowed

	layer            LayerStrength  // what the run has to negotiate; never AutomaticLayer
	binding          ChannelBinding // the zero value unless flag is 'p'
	flag             byte           // the gs2-cbind-flag
	listHashRequired bool           // the server has to confirm its lists
	reason           error          // the reason not to use the candidate; nil = usable

	// remembered: the client logs in with data of an earlier login. The Client's
	// list does not contain such a candidate.
	remembered bool
}

// selection holds all candidates of a login. The login computes the selection
// once, before anything is sent. The trace, the error of a refusal and Relist read
// this value.
type selection struct {
	srv        *ServerInfo
	allow      func(Candidate) error
	channel    channel
	plus       plusBinding
	candidates []candidate // most preferred first
	narrowed   bool        // afterRemembered was called
}

// The reasons why a candidate is not used. The reasons are fixed values, because at
// every login each of the ladder's thirteen candidates may need a reason.
var (
	errNotOffered        = errors.New("not offered by the server")
	errUnbound           = errors.New("the mechanism does not bind to the channel, which RequireBinding demands")
	errListUnconfirmable = errors.New("with this mechanism the server cannot confirm that its list of channel bindings is complete")
	errAfterRemembered   = errors.New("the mechanism would reveal the secret to a server that has just received a token")
	errSpent             = errors.New("already used in this operation")
)

// newSelection makes the selection for the mechanisms of a Client.
func newSelection(c *Client, srv *ServerInfo) (selection, error) {
	ch, err := newChannel(c, srv)
	if err == nil {
		err = checkLayer(srv)
	}
	if err != nil {
		return selection{}, err
	}
	remembered := 0 // most clients have one token
	if c.Tokens != nil {
		remembered = 1
	}
	s := selection{srv: srv, allow: c.Allow, channel: ch, candidates: make([]candidate, len(c.Mechanisms), len(c.Mechanisms)+remembered)}
	for i, m := range c.Mechanisms {
		candidate := &s.candidates[i]
		candidate.mechanism, candidate.name, candidate.properties = m, m.Name(), propertiesOf(m)
		candidate.layer, candidate.forbidden = s.permit(candidate.name, &candidate.properties)
	}
	return s, s.judge(srv.Mechanisms)
}

// permit returns the layer that a mechanism has to negotiate, and calls the policy
// for the mechanism. The policy is called once for each mechanism.
func (s *selection) permit(name string, properties *Properties) (LayerStrength, error) {
	layer, impossible := layerFor(s.srv, properties)
	err := error(nil)
	if s.allow != nil {
		err = s.allow(Candidate{Name: name, Properties: *properties, Server: *s.srv, Layer: layer})
	} else {
		err = secureOnly(s.srv, properties, layer)
	}
	if impossible != nil {
		err = impossible
	}
	return layer, err
}

// judge sets the binding and the gs2 flag of each candidate, or the reason why the
// candidate is not used, for this list of the server. An error means that the list
// is suspicious.
func (s *selection) judge(offered []string) error {
	have, ours := false, false
	for i := range s.candidates {
		c := &s.candidates[i]
		if bindsByName(c.name, &c.properties) && c.properties.Unavailable == nil {
			have = true
			ours = ours || slices.Contains(offered, c.name)
		}
	}
	var err error
	if s.plus, err = s.channel.byName(have, ours); err != nil {
		return err
	}
	for i := range s.candidates {
		if c := &s.candidates[i]; !c.remembered {
			c.reason = s.fit(c, offered)
		}
	}
	return nil
}

// fit sets the binding and the gs2 flag of a candidate, or returns the reason why
// the candidate is not used.
func (s *selection) fit(c *candidate, offered []string) error {
	c.binding, c.flag, c.listHashRequired = ChannelBinding{}, 'n', false
	plus := bindsByName(c.name, &c.properties)
	switch {
	case !slices.Contains(offered, c.name) || !validName(c.name):
		return errNotOffered
	case c.properties.Unavailable != nil:
		return c.properties.Unavailable
	case plus && s.plus.none != nil:
		return s.plus.none
	case plus:
		c.binding = s.plus.binding
	case c.properties.Binds == BindsAlways:
		c.binding = s.channel.always()
	}
	required := s.channel.policy == RequireBinding
	switch bound := c.binding.Type != ""; {
	case bound:
		// If the name does not promise the binding, nothing confirms the binding.
		c.flag, c.listHashRequired = 'p', s.plus.truncated && !plus
	case s.plus.y:
		c.flag = 'y'
	default:
		c.listHashRequired = s.plus.truncated
	}
	switch {
	case required && c.flag != 'p' && c.properties.Binds == BindsAlways:
		return s.channel.none
	case required && c.flag != 'p':
		return errUnbound
	case required && c.unconfirmed() && !s.srv.EnforcesBinding:
		return errBindUnconfirmed
	case c.listHashRequired && !c.properties.ConfirmsLists:
		return errListUnconfirmable
	}
	return c.forbidden
}

// unconfirmed reports whether the candidate binds without a proof that the server
// compared the binding.
func (c *candidate) unconfirmed() bool {
	return c.flag == 'p' && c.properties.Binds == BindsAlways
}

// verify returns an ErrSecurity if an exchange of the candidate, which is done, has
// not got the binding or the layer that the login demands.
func (c *candidate) verify(x Exchange, policy BindingPolicy) error {
	if policy == RequireBinding && boundTo(x, c.binding.Type) == "" {
		return securityError("%s has not bound the exchange to the channel, which RequireBinding demands", c.name)
	}
	return verifyLayer(x, c.name, c.layer)
}

// first returns the candidate to use; nil if no candidate is left.
func (s *selection) first() *candidate {
	for i := range s.candidates {
		if s.candidates[i].reason == nil {
			return &s.candidates[i]
		}
	}
	return nil
}

// handsToken reports whether the mechanism hands over a secret that is not a
// password, as a bearer token is. That is also the careful value for a mechanism
// that declares nothing.
func (c *candidate) handsToken() bool {
	return !c.properties.KeepsSecret && !c.properties.UsesPassword
}

// afterToken excludes each candidate that does not keep its secret, once the client
// has sent a token.
func (s *selection) afterToken() {
	s.narrowed = true
	for i := range s.candidates {
		if c := &s.candidates[i]; !c.properties.KeepsSecret && c.reason == nil {
			c.reason = errAfterRemembered
		}
	}
}

// afterRemembered excludes the candidates that may not follow a remembered secret:
// the remembered candidate itself, and each candidate that does not keep its
// secret.
func (s *selection) afterRemembered() {
	for i := range s.candidates {
		if c := &s.candidates[i]; c.remembered && c.reason == nil {
			c.reason = errSpent
		}
	}
	s.afterToken()
}

// better returns the name of a candidate that the Client prefers to the used
// candidate, and that the Client could have used with a later list of the server;
// "" = there is no such candidate.
func (s *selection) better(used *candidate, later []string) string {
	again := *s
	again.candidates = slices.Clone(s.candidates)
	if again.judge(later) != nil {
		return ""
	}
	if s.narrowed {
		again.afterRemembered()
	}
	for i := range s.candidates {
		if &s.candidates[i] == used {
			return ""
		}
		if c := &again.candidates[i]; c.reason == nil && !c.remembered {
			return c.name
		}
	}
	return ""
}

// notTried names the candidates that the Client could still use. After a token, only
// candidates that keep the secret are usable.
func (s *selection) notTried(used *candidate) (names []string) {
	for i := range s.candidates {
		c := &s.candidates[i]
		if c.reason == nil && !c.remembered && c.name != used.name && (!used.remembered && !used.handsToken() || c.properties.KeepsSecret) {
			names = append(names, c.name)
		}
	}
	return names
}
