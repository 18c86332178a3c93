package sasl

import (
	"errors"
	"fmt"
	"slices"
)

// Validate returns the faults of the configuration, all of them joined, or nil if
// there is none. Call Validate when the server starts: Offer leaves out what cannot
// work, without an error. Each fault is an ErrConfig:
//   - a mechanism is nil, has an invalid name (RFC 4422 s3.1), has the name of an
//     earlier mechanism, or is Unavailable with an ErrConfig. The mechanisms of this
//     package are Unavailable in this way if their callback is nil or a hash is
//     invalid;
//   - a mechanism needs a Key, and the Key has less than 16 octets;
//   - a number of Stored is out of range;
//   - a name in Insecure is invalid;
//   - Tokens has no Store, or names an unknown mechanism;
//   - there are no Tokens, and no mechanism that this process can use.
//
// It is not a fault that FIPS 140 forbids some of the mechanisms. Validate calls no
// callback.
func (s *Server) Validate() error {
	faults := []error{s.Stored.validate(), s.Tokens.validate()}
	needsKey, usable := false, s.Tokens != nil
	for i, m := range s.Mechanisms {
		fault := s.faultOf(i)
		if ClassOf(fault) == ErrConfig {
			faults = append(faults, fault)
		}
		needsKey = needsKey || m != nil && propertiesOf(m).NeedsKey
		usable = usable || fault == nil
	}
	for _, name := range s.Insecure {
		if !validName(name) {
			faults = append(faults, configError("Server.Insecure has %q, which is not the name of a mechanism", Printable(name)))
		}
	}
	if needsKey {
		faults = append(faults, s.validateKey())
	}
	fault := errors.Join(faults...)
	if fault == nil && !usable {
		return configError("Server.Mechanisms has no mechanism that this process can use: add one")
	}
	return fault
}

// faultOf returns the reason why the mechanism with the index can never work in this
// process, apart from the Key and the stored records; nil = it can work. A reason of
// class ErrConfig is a fault of the configuration.
func (s *Server) faultOf(i int) error {
	m := s.Mechanisms[i]
	if m == nil {
		return configError("Server.Mechanisms[%d] is nil: remove it", i)
	}
	name := m.Name()
	switch unavailable := propertiesOf(m).Unavailable; {
	case unavailable != nil:
		return fmt.Errorf("%s: %w", Printable(name), unavailable)
	case !validName(name):
		return configError("Server.Mechanisms[%d] has the name %q, which RFC 4422 does not allow", i, Printable(name))
	case slices.ContainsFunc(s.Mechanisms[:i], func(m ServerMechanism) bool { return m != nil && m.Name() == name }):
		return configError("Server.Mechanisms has two mechanisms with the name %s: remove one", name)
	}
	return nil
}

// usable returns the reason why the server cannot use the mechanism with the index
// on any connection, or nil.
func (s *Server) usable(i int) error {
	err := s.faultOf(i)
	if err != nil || !propertiesOf(s.Mechanisms[i]).NeedsKey {
		return err
	}
	if err = s.validateKey(); err == nil {
		err = s.Stored.validate()
	}
	return err
}

func (s *Server) validateKey() error {
	if len(s.Key.Bytes()) < 16 {
		return configError("Server.Key has less than 16 octets: use at least 16 random octets")
	}
	return nil
}

func (t *ServerTokens) validate() error {
	if t == nil {
		return nil
	}
	if t.Store == nil {
		return configError("Server.Tokens has no Store: use MemoryTokens or a store of your own")
	}
	for _, name := range t.Mechanisms {
		if _, known := tokenBindingTypes[name]; !known {
			return configError("Server.Tokens.Mechanisms has %q, which is not a mechanism for tokens", Printable(name))
		}
	}
	return nil
}
