package sasl

import (
	"context"
	"slices"

	"github.com/saslkit/saslkit/core/internal/stringprep"
)

// Server is the configuration of a server. It is safe for concurrent use.
type Server struct {
	// Mechanisms is what may be offered, in the order in which it is.
	Mechanisms []ServerMechanism
	// Insecure names the mechanisms that are offered also where the connection
	// is not Secure. ANONYMOUS always is.
	Insecure []string
	// SuccessData says that the protocol carries additional data with success.
	// Without it a mechanism's last message goes out as a challenge and wants
	// an empty response.
	SuccessData bool
	// Canonical prepares usernames and authzids before lookup, authorization
	// and result. Nil = SASLprep (RFC 4013), as a query string, not empty.
	Canonical func(name string) (string, error)
	// Authorize says, once the identity is proved, whether it may log in and
	// act as its Authzid. An error without a Class counts as ErrAuthorization.
	// Nil = everybody may, as themselves.
	Authorize func(ctx context.Context, id Identity, conn ConnInfo) error
	// Refused is told why a client is refused, once a run and as soon as it is
	// decided: a client that was told in a challenge may not come back for the
	// refusal. Nil = nobody is told.
	Refused func(mechanism string, conn ConnInfo, reason error)
	// Key makes the salts that SCRAM shows for users who do not exist: at least
	// 16 random octets, which stay the same as long as the users do. Without it
	// there is no SCRAM.
	Key Secret
	// Stored is what the stored SCRAM records have in common.
	Stored StoredRecords
	// Tokens lets clients log in with tokens that the server issued (XEP-0484), in
	// a protocol that carries them; nil = no tokens.
	Tokens *ServerTokens

	nonce func() string
}

// Offer returns the names of the mechanisms for the connection. Those that take
// a token are listed apart: OfferTokens.
func (s *Server) Offer(conn ConnInfo) []string {
	var names []string
	for _, m := range s.Mechanisms {
		if s.offers(m, &conn) {
			names = append(names, m.Name())
		}
	}
	return names
}

func (s *Server) offers(m ServerMechanism, conn *ConnInfo) bool {
	name, properties := m.Name(), propertiesOf(m)
	if properties.Unavailable != nil || bindsByName(name, &properties) && !bindable(conn) {
		return false
	}
	return validName(name) && (conn.Secure || properties.Anonymous || slices.Contains(s.Insecure, name))
}

// bindable reports whether there is something to bind to. A binding without data
// would be the same on every connection.
func bindable(conn *ConnInfo) bool {
	return slices.ContainsFunc(conn.Bindings, func(b ChannelBinding) bool { return len(b.Data) > 0 })
}

// find returns the mechanism of the name, if the connection was offered it.
func (s *Server) find(conn *ConnInfo, mechanism string) (ServerMechanism, error) {
	i := slices.IndexFunc(s.Mechanisms, func(m ServerMechanism) bool {
		return m.Name() == mechanism && s.offers(m, conn)
	})
	if i < 0 {
		return nil, classed(ErrPolicy, "the mechanism %q is not offered", Printable(mechanism))
	}
	if propertiesOf(s.Mechanisms[i]).NeedsKey && len(s.Key.Bytes()) < 16 {
		return nil, configError("Server.Key has less than 16 octets")
	}
	return s.Mechanisms[i], nil
}

func (s *Server) terms(conn ConnInfo) ServerTerms {
	terms := ServerTerms{
		Conn: conn,
		PlusOffered: slices.ContainsFunc(s.Mechanisms, func(m ServerMechanism) bool {
			properties := propertiesOf(m)
			return bindsByName(m.Name(), &properties) && s.offers(m, &conn)
		}),
		Canonical: s.Canonical,
		Authorize: func(ctx context.Context, id Identity) error { return s.authorize(ctx, id, conn) },
		Key:       s.Key,
		Stored:    s.Stored,
		nonce:     s.nonce,
	}
	if terms.Canonical == nil {
		terms.Canonical = stringprep.Name
	}
	if conn.Downgrade {
		terms.Offered = s.Offer(conn)
	}
	return terms
}

func (s *Server) authorize(ctx context.Context, id Identity, conn ConnInfo) error {
	if s.Authorize != nil {
		return withClassUnlessNil(s.Authorize(ctx, id, conn), ErrAuthorization)
	}
	if id.Authzid != "" && id.Authzid != id.Username {
		return classed(ErrAuthorization, "%q may not act as %q", Printable(id.Username), Printable(id.Authzid))
	}
	return nil
}

func withClassUnlessNil(err error, c Class) error {
	if err == nil {
		return nil
	}
	return withClass(err, c)
}
