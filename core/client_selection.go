package sasl

import (
	"errors"
	"slices"
)

// candidate is a mechanism that a login may use, with what it would use then,
// or with the reason why it is not used.
type candidate struct {
	mechanism  Mechanism
	name       string
	properties Properties
	forbidden  error // by the policy, whatever the server offers; nil = allowed

	binding ChannelBinding // the zero value unless flag is 'p'
	flag    byte           // the gs2-cbind-flag
	confirm bool           // the server has to confirm its lists
	reason  error          // why it is not used; nil = it can be

	// remembered: the client logs in with what it remembers of an earlier login,
	// and the candidate is in no list of the Client's.
	remembered bool
}

// selection is what a login can use: worked out once, before anything is sent.
// The trace, the error of a refusal and Relist read this value.
type selection struct {
	srv        *ServerInfo
	allow      func(Candidate) error
	channel    channel
	plus       plusBinding
	candidates []candidate // most preferred first
	narrowed   bool        // afterRemembered holds
}

// The reasons why a candidate is not used. They are values because a ladder of
// thirteen has one each at every login.
var (
	errNotOffered      = errors.New("not offered by the server")
	errUnbound         = errors.New("it does not bind to the channel, which RequireBinding demands")
	errUnconfirmed     = errors.New("the server cannot confirm with it that its list of channel bindings is whole")
	errAfterRemembered = errors.New("it would reveal the secret to a server that has just received a token")
	errSpent           = errors.New("it was sent in this operation")
)

// newSelection judges the mechanisms of a Client.
func newSelection(c *Client, srv *ServerInfo) (selection, error) {
	ch, err := newChannel(c, srv)
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
		candidate.forbidden = s.permit(candidate.name, &candidate.properties)
	}
	return s, s.judge(srv.Mechanisms)
}

// permit asks the policy about a mechanism. It is asked once about each.
func (s *selection) permit(name string, properties *Properties) error {
	if s.allow != nil {
		return s.allow(Candidate{Name: name, Properties: *properties, Server: *s.srv})
	}
	return secureOnly(s.srv, properties)
}

// judge says of each candidate what it uses, or why it is not used, with this
// list of the server's. The error says that the list is suspicious.
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

// fit decides the binding and the gs2 flag of a candidate, or says why it is not
// used.
func (s *selection) fit(c *candidate, offered []string) error {
	c.binding, c.flag, c.confirm = ChannelBinding{}, 'n', false
	plus := bindsByName(c.name, &c.properties)
	switch {
	case !validName(c.name) || !slices.Contains(offered, c.name):
		return errNotOffered
	case c.properties.Unavailable != nil:
		return c.properties.Unavailable
	case plus && s.plus.refused != nil:
		return s.plus.refused
	case plus:
		c.binding = s.plus.binding
	case c.properties.Binds == BindsAlways:
		c.binding = s.channel.always()
	}
	required := s.channel.policy == RequireBinding
	switch bound := c.binding.Type != ""; {
	case bound:
		// A binding that the name does not promise, nothing confirms.
		c.flag, c.confirm = 'p', s.plus.cut && !plus
	case s.plus.y:
		c.flag = 'y'
	default:
		c.confirm = s.plus.cut
	}
	switch {
	case required && c.flag != 'p' && c.properties.Binds == BindsAlways:
		return s.channel.none
	case required && c.flag != 'p':
		return errUnbound
	case required && c.unconfirmed() && !s.srv.EnforcesBinding:
		return errBindUnconfirmed
	case c.confirm && !c.properties.ConfirmsLists:
		return errUnconfirmed
	}
	return c.forbidden
}

// unconfirmed reports whether nothing shows that the server compared the binding.
func (c *candidate) unconfirmed() bool {
	return c.flag == 'p' && c.properties.Binds == BindsAlways
}

// first returns the candidate to use; nil if none is left.
func (s *selection) first() *candidate {
	for i := range s.candidates {
		if s.candidates[i].reason == nil {
			return &s.candidates[i]
		}
	}
	return nil
}

// afterRemembered rules out what may not follow once the client has sent a
// secret that it remembered: the same again, and what hands the secret over.
func (s *selection) afterRemembered() {
	s.narrowed = true
	for i := range s.candidates {
		switch c := &s.candidates[i]; {
		case c.remembered && c.reason == nil:
			c.reason = errSpent
		case !c.properties.KeepsSecret && c.reason == nil:
			c.reason = errAfterRemembered
		}
	}
}

// better returns the name of a candidate that comes before the one that was
// used, and that could have been used with a later list of the server's; "" =
// none.
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

// notTried names the candidates that could still be used: after something that
// the client remembered, only those that keep the secret.
func (s *selection) notTried(used *candidate) (names []string) {
	for i := range s.candidates {
		c := &s.candidates[i]
		if c.reason == nil && !c.remembered && c.name != used.name && (!used.remembered || c.properties.KeepsSecret) {
			names = append(names, c.name)
		}
	}
	return names
}
