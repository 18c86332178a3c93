package sasl

import (
	"context"
	"slices"

	"github.com/saslkit/saslkit/core/internal/stringprep"
)

// Server is the configuration of a server. A Server is safe for concurrent use.
type Server struct {
	// Mechanisms are the mechanisms that the server may offer, in the order of the
	// server's list.
	Mechanisms []ServerMechanism
	// Insecure names the mechanisms that the server also offers if the connection
	// is not Secure. The server always offers ANONYMOUS.
	Insecure []string
	// SuccessData reports that the protocol carries additional data with success.
	// Without SuccessData, a mechanism's last message is sent as a challenge, and
	// the client answers that challenge with an empty response.
	SuccessData bool
	// Canonical prepares usernames and authzids before lookup, authorization
	// and result. Nil = SASLprep (RFC 4013), as a query string, not empty.
	Canonical func(name string) (string, error)
	// Authorize returns nil if the proved identity may log in and act as its
	// Authzid. An error without a Class counts as ErrAuthorization. Nil = every user
	// may log in, but not act as another identity.
	Authorize func(ctx context.Context, id Identity, conn ConnInfo) error
	// Refused is called with the reason for a refusal, once in a run and
	// immediately after the decision: a client that learnt the refusal in a
	// challenge may not return for the end of the exchange. Nil = no call.
	Refused func(mechanism string, conn ConnInfo, reason error)
	// Key makes the salts that SCRAM sends for users who do not exist: at least
	// 16 random octets, which stay the same as long as the users do. A server
	// without a Key refuses SCRAM.
	Key Secret
	// Stored describes the common properties of the stored SCRAM records.
	Stored StoredRecords
	// Tokens lets clients log in with tokens that the server issued (XEP-0484), in
	// a protocol that carries tokens; nil = no tokens.
	Tokens *ServerTokens

	nonce func() string
}

// Offer returns the names of the mechanisms for the connection. OfferTokens
// returns the mechanisms that accept a token.
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

// bindable reports whether the connection has a channel binding. A binding without
// data does not count: it would be the same on every connection.
func bindable(conn *ConnInfo) bool {
	return slices.ContainsFunc(conn.Bindings, func(b ChannelBinding) bool { return len(b.Data) > 0 })
}

// find returns the mechanism with the name, if the server offers the mechanism on
// the connection.
func (s *Server) find(conn *ConnInfo, mechanism string) (ServerMechanism, error) {
	i := slices.IndexFunc(s.Mechanisms, func(m ServerMechanism) bool {
		return m.Name() == mechanism && s.offers(m, conn)
	})
	if i < 0 {
		return nil, classed(ErrPolicy, "the mechanism %q is not offered", Printable(mechanism))
	}
	if propertiesOf(s.Mechanisms[i]).NeedsKey && len(s.Key.Bytes()) < 16 {
		return nil, configError("Server.Key has less than 16 octets: use at least 16 random octets")
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
