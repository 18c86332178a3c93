package sasl

import (
	"context"
	"slices"

	"github.com/saslkit/saslkit/core/internal/stringprep"
)

// Offer returns the names of the mechanisms for the connection. OfferTokens
// returns the mechanisms that accept a token. Offer leaves out a mechanism that
// cannot work; Validate says why.
func (s *Server) Offer(conn ConnInfo) []string {
	var names []string
	for i := range s.Mechanisms {
		if s.offers(i, &conn) {
			names = append(names, s.Mechanisms[i].Name())
		}
	}
	return names
}

func (s *Server) offers(i int, conn *ConnInfo) bool {
	return s.usable(i) == nil && s.allows(s.Mechanisms[i], conn)
}

// allows reports whether the connection is good enough for the mechanism.
func (s *Server) allows(m ServerMechanism, conn *ConnInfo) bool {
	name, properties := m.Name(), propertiesOf(m)
	if bindsByName(name, &properties) && !bindable(conn) {
		return false
	}
	return conn.Secure || properties.Anonymous || slices.Contains(s.Insecure, name)
}

// bindable reports whether the connection has a channel binding. A binding without
// data does not count: it would be the same on every connection.
func bindable(conn *ConnInfo) bool {
	return slices.ContainsFunc(conn.Bindings, func(b ChannelBinding) bool { return len(b.Data) > 0 })
}

// find returns the mechanism with the name, if the server offers the mechanism on
// the connection. A mechanism that the configuration makes impossible is an
// ErrConfig.
func (s *Server) find(conn *ConnInfo, mechanism string) (ServerMechanism, error) {
	i := slices.IndexFunc(s.Mechanisms, func(m ServerMechanism) bool {
		return m != nil && m.Name() == mechanism && s.allows(m, conn)
	})
	if i < 0 {
		return nil, classed(ErrPolicy, "the mechanism %q is not offered", Printable(mechanism))
	}
	if err := s.usable(i); err != nil {
		return nil, withClass(err, ErrPolicy)
	}
	return s.Mechanisms[i], nil
}

// terms returns the parameters of a run on the connection, which does not change.
func (s *Server) terms(conn *ConnInfo) ServerTerms {
	terms := ServerTerms{
		Conn:        *conn,
		PlusOffered: s.offersPlus(conn),
		Canonical:   s.Canonical,
		Authorize:   func(ctx context.Context, id Identity) error { return s.authorize(ctx, id, *conn) },
		Key:         s.Key,
		Stored:      s.Stored,
		nonce:       s.nonce,
	}
	if terms.Canonical == nil {
		terms.Canonical = stringprep.Name
	}
	if conn.Downgrade {
		terms.Offered = s.Offer(*conn)
	}
	return terms
}

func (s *Server) offersPlus(conn *ConnInfo) bool {
	for i, m := range s.Mechanisms {
		if !s.offers(i, conn) {
			continue
		}
		if properties := propertiesOf(m); bindsByName(m.Name(), &properties) {
			return true
		}
	}
	return false
}
