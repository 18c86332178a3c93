package sasl

import (
	"context"
	"slices"
	"strings"

	"github.com/saslkit/saslkit/core/internal/stringprep"
)

// ServerMechanism is a server's mechanism together with its store of
// credentials. It is immutable and safe for concurrent use. A name that ends
// in -PLUS is offered only where there is something to bind to.
type ServerMechanism interface {
	Name() string
	New(ServerTerms) Exchange
}

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

	nonce func() string
}

// StoredRecords describes the SCRAM records of a server, which a user who does
// not exist must seem to have too. A user whose record differs can be told
// from them.
type StoredRecords struct {
	Iterations int // 0 = 4096
	SaltSize   int // octets; 0 = 16
}

// ConnInfo is what a server knows about a connection.
type ConnInfo struct {
	Service string // as in ServerInfo
	Host    string
	// Secure says that the transport is confidential: TLS or a Unix socket.
	Secure     bool
	TLSVersion uint16           // as in crypto/tls; 0 = none
	Bindings   []ChannelBinding // what the connection can bind to
	// Downgrade says that the profile defines XEP-0474 and XEP-0515, that the
	// client was told of the mechanisms that Offer returns and, unless there are
	// none, of the types of Bindings (XEP-0440). SCRAM confirms these lists.
	Downgrade bool
	// Token is what the client of the run says besides of its token.
	Token TokenUse
	// Peer is what the layer below proved about the client, such as an
	// *x509.Certificate; nil = nothing. Only EXTERNAL's callback reads it.
	Peer any
}

// ServerTerms is what a ServerMechanism learns about the run it starts.
type ServerTerms struct {
	Conn        ConnInfo
	PlusOffered bool     // this connection was offered a mechanism that binds
	Offered     []string // what it was offered; set if Conn.Downgrade is
	Canonical   func(name string) (string, error)
	Authorize   func(ctx context.Context, id Identity) error
	Key         Secret
	Stored      StoredRecords

	nonce func() string
}

// Offer returns the names of the mechanisms for the connection, but for those
// that take a token.
func (s *Server) Offer(conn ConnInfo) []string { return s.offer(&conn, false) }

// OfferTokens returns the names of the mechanisms that take a token, which are
// listed apart (XEP-0484 s3.1).
func (s *Server) OfferTokens(conn ConnInfo) []string { return s.offer(&conn, true) }

func (s *Server) offer(conn *ConnInfo, tokens bool) []string {
	var names []string
	for _, m := range s.Mechanisms {
		if _, token := m.(*hashedTokenServer); token == tokens && s.offers(m, conn) {
			names = append(names, m.Name())
		}
	}
	return names
}

func (s *Server) offers(m ServerMechanism, conn *ConnInfo) bool {
	name := m.Name()
	if token, ok := m.(*hashedTokenServer); ok {
		return token.offered(conn)
	}
	if usable(m) != nil || strings.HasSuffix(name, plusSuffix) && !bindable(conn) {
		return false
	}
	return validName(name) && (conn.Secure || name == "ANONYMOUS" || slices.Contains(s.Insecure, name))
}

// bindable tells whether there is something to bind to. A binding without data
// would be the same on every connection.
func bindable(conn *ConnInfo) bool {
	return slices.ContainsFunc(conn.Bindings, func(b ChannelBinding) bool { return len(b.Data) > 0 })
}

// Begin starts a run of the mechanism that the client named. One that neither
// Offer nor OfferTokens lists for the connection is ErrPolicy, as is one that
// takes a token where the client does not say which it is. A ClientID that is no
// UTF-8, or over 1 KiB, is ErrProtocol.
func (s *Server) Begin(_ context.Context, conn ConnInfo, mechanism string) (*ServerSession, error) {
	session := &ServerSession{server: s, conn: conn, name: mechanism}
	m, err := s.find(&conn, mechanism)
	if _, token := m.(*hashedTokenServer); token && conn.Token.ClientID == "" {
		err = classed(ErrPolicy, "%s is for a client that says which it is", mechanism)
	}
	if nameErr := checkName(conn.Token.ClientID); nameErr != nil {
		err = protocolError("the client's ID %w", nameErr)
	}
	if err != nil {
		session.refused(err)
		return nil, err
	}
	session.exchange = m.New(s.terms(conn))
	return session, nil
}

func (s *Server) find(conn *ConnInfo, mechanism string) (ServerMechanism, error) {
	i := slices.IndexFunc(s.Mechanisms, func(m ServerMechanism) bool {
		return m.Name() == mechanism && s.offers(m, conn)
	})
	if i < 0 {
		return nil, classed(ErrPolicy, "the mechanism %q is not offered", Printable(mechanism))
	}
	if _, needs := s.Mechanisms[i].(interface{ needsKey() }); needs && len(s.Key.Bytes()) < 16 {
		return nil, configError("Server.Key has less than 16 octets")
	}
	return s.Mechanisms[i], nil
}

func (s *Server) terms(conn ConnInfo) ServerTerms {
	terms := ServerTerms{
		Conn: conn,
		PlusOffered: slices.ContainsFunc(s.Mechanisms, func(m ServerMechanism) bool {
			return strings.HasSuffix(m.Name(), plusSuffix) && s.offers(m, &conn)
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
