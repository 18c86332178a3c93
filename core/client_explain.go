package sasl

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The reasons why a mechanism of the server is not among the candidates.
var (
	errNotConfigured = errors.New("not configured")
	errNotKnown      = errors.New("this library does not have it")
	errInvalidName   = errors.New("an invalid name (RFC 4422 s3.1): use 1 to 20 capitals, digits, hyphens and underscores")
)

// knownMechanism reports whether this package has a client's mechanism with the
// name.
func knownMechanism(name string) bool {
	if slices.Contains([]string{plainName, loginName, cramMD5Name, digestMD5Name, anonymousName, externalName, oauthBearer.name, xoauth2.name}, name) {
		return true
	}
	_, isToken := tokenBindingTypes[name]
	bare := strings.TrimSuffix(name, plusSuffix)
	return isToken || slices.ContainsFunc(hashesByPreference[:], func(h Hash) bool { return h.Mechanism() == bare })
}

// passedOver returns the candidates that are not used, most preferred first. If
// all is set, the server's other mechanisms follow, in the server's order.
func (s *selection) passedOver(all bool) (list []PassedOver) {
	for i := range s.candidates {
		if c := &s.candidates[i]; c.reason != nil && c.reason != errSpent && (c.reason != errNotOffered || c.remembered) {
			list = append(list, PassedOver{c.name, c.reason})
		}
	}
	if !all {
		return list
	}
	seen := make(map[string]bool, len(s.candidates))
	for i := range s.candidates {
		if c := &s.candidates[i]; !c.remembered {
			seen[c.name] = true
		}
	}
	for _, name := range s.srv.Mechanisms {
		if seen[name] {
			continue
		}
		seen[name] = true
		switch {
		case !validName(name):
			list = append(list, PassedOver{Printable(name), errInvalidName})
		case knownMechanism(name):
			list = append(list, PassedOver{name, errNotConfigured})
		default:
			list = append(list, PassedOver{name, errNotKnown})
		}
	}
	return list
}

// byReason groups the names by reason, in the order of the list.
func byReason(list []PassedOver) (groups []passedOverGroup) {
	for _, p := range list {
		i := slices.IndexFunc(groups, func(g passedOverGroup) bool { return g.reason.Error() == p.Reason.Error() })
		if i < 0 {
			i, groups = len(groups), append(groups, passedOverGroup{reason: p.Reason})
		}
		groups[i].names = append(groups[i].names, p.Mechanism)
	}
	return groups
}

// passedOverGroup holds the mechanisms that are not used for one reason.
type passedOverGroup struct {
	names  []string
	reason error
}

// describe returns a text about the selected candidate, with the reasons why no
// preferred candidate was selected.
func (s *selection) describe(c *candidate) string {
	text := c.name
	switch {
	case c.unconfirmed():
		text += " bound to " + c.binding.Type + ", which nothing confirms"
	case c.flag == 'p':
		text += " bound to " + c.binding.Type
	case c.flag == 'y' && c.properties.SendsGS2Flag:
		text += ", with the gs2 flag y (the client can bind)"
	}
	if c.layer.demanded() {
		text += ", demanding a security layer with " + string(c.layer)
	}
	for _, g := range byReason(s.passedOver(false)) {
		text += "; passed over " + strings.Join(g.names, " ") + ": " + g.reason.Error()
	}
	if s.listsBindingsInVain() {
		text += "; the server lists channel bindings (" + Printable(strings.Join(s.srv.AdvertisedBindings, " ")) + ") and no mechanism that binds"
	}
	return text
}

// listsBindingsInVain reports whether the server lists channel bindings, but offers
// no mechanism that binds by name. Some servers have such lists. Such lists may
// also be the trace of an attacker who truncated the list of mechanisms.
func (s *selection) listsBindingsInVain() bool {
	return len(s.srv.AdvertisedBindings) > 0 && !slices.ContainsFunc(s.srv.Mechanisms, func(name string) bool {
		return strings.HasSuffix(name, plusSuffix)
	})
}

// errUnbindable is the class of a run whose required binding is impossible: our
// policy refuses the run, and an attacker may have removed the binding.
type errUnbindable struct{}

func (errUnbindable) Error() string   { return ErrPolicy.Error() }
func (errUnbindable) Unwrap() []error { return []error{ErrPolicy, ErrSecurity} }

// failure returns the error of a login without a usable candidate.
func (s *selection) failure() error {
	if len(s.candidates) == 0 {
		return configError("the Client has no mechanisms: set Client.Mechanisms")
	}
	list := s.passedOver(true)
	class := error(ErrPolicy)
	if s.channel.policy == RequireBinding && s.onlyBindingIsMissing() {
		class = errUnbindable{}
	}
	offered := Printable(strings.Join(s.srv.Mechanisms, " "))
	unknown := len(list) > 0 && !slices.ContainsFunc(list, func(p PassedOver) bool { return p.Reason != errNotKnown })
	err := fmt.Errorf("%w: no mechanism is left: the server offers %s", class, offered)
	switch {
	case offered == "":
		err = fmt.Errorf("%w: the server offers no mechanism", class)
	case unknown:
		err = fmt.Errorf("%w: the server offers only %s, and this library has none of these mechanisms", class, offered)
	default:
		for _, g := range byReason(list) {
			err = fmt.Errorf("%w; %s: %w", err, Printable(strings.Join(g.names, " ")), g.reason)
		}
	}
	return &LoginError{Err: err, PassedOver: list}
}

// onlyBindingIsMissing reports whether a missing binding is the only reason
// against the candidates that the server offers.
func (s *selection) onlyBindingIsMissing() bool {
	return !slices.ContainsFunc(s.candidates, func(c candidate) bool {
		switch c.reason {
		case errNotOffered, errUnbound, errBindUnconfirmed, s.plus.none, s.channel.none:
			return false
		}
		return !c.remembered
	})
}
