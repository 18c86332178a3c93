package sasl

import (
	"context"
	"crypto/subtle"
	"strings"
)

// DigestMD5Server is the server's DIGEST-MD5 mechanism (RFC 2831), for clients that
// have nothing better: the mechanism is historic (RFC 6331), and the server has to
// store the password itself. A user who does not exist costs the same work as one who
// does. The mechanism is unavailable if FIPS 140 is enforced.
//
// All users are in one realm; "" = ConnInfo.Host. The client names the service and
// the host that it wants to reach. Another service, or another host if ConnInfo.Host
// is set, is an ErrSecurity: somebody may relay the login to this server. There is no
// security layer and no subsequent authentication.
func DigestMD5Server(realm string, lookup PasswordLookup) ServerMechanism {
	return &digestMD5Server{realm, lookup}
}

type digestMD5Server struct {
	realm  string
	lookup PasswordLookup
}

func (*digestMD5Server) Name() string { return digestMD5Name }

func (m *digestMD5Server) Properties() Properties {
	return historicProperties(true).withCallback(m.lookup != nil)
}

func (m *digestMD5Server) New(t ServerTerms) Exchange {
	realm := m.realm
	if realm == "" {
		realm = t.Conn.Host
	}
	return &digestMD5ServerExchange{lookup: m.lookup, realm: realm, terms: t}
}

type digestMD5ServerExchange struct {
	lookup   PasswordLookup
	realm    string // "" = the challenge has none
	terms    ServerTerms
	nonce    string // "" = the challenge was not sent
	received bool   // the response
	identity Identity
	err      error
}

func (x *digestMD5ServerExchange) Identity() Identity { return x.identity }

func (x *digestMD5ServerExchange) Step(ctx context.Context, in []byte) (out []byte, done bool, err error) {
	switch {
	case x.err != nil:
	case in == nil && x.nonce == "":
		x.nonce = x.terms.newNonce("")
		return []byte(x.challenge()), false, nil
	case x.nonce == "":
		x.err = protocolError("%s: an initial response: the server sends the first message", digestMD5Name)
	case x.received:
		x.err = protocolError("%s: a message after the response", digestMD5Name)
	default:
		x.received = true
		out, x.err = x.verify(ctx, string(in))
	}
	if x.err != nil {
		return nil, false, x.err
	}
	return out, true, nil
}

// challenge returns the digest-challenge, in the order of the examples of RFC 2831
// s4.
func (x *digestMD5ServerExchange) challenge() string {
	realm := ""
	if x.realm != "" {
		realm = "realm=" + quoted(x.realm) + ","
	}
	return realm + "nonce=" + quoted(x.nonce) + ",qop=" + quoted(digestQOP) + ",algorithm=" + digestAlgorithm + ",charset=utf-8"
}

// verify answers the digest-response with the response-auth.
func (x *digestMD5ServerExchange) verify(ctx context.Context, message string) ([]byte, error) {
	r, err := parseDigestResponse(message)
	if err != nil {
		return nil, protocolError("%s: %w", digestMD5Name, err)
	}
	switch {
	case r.nonce != x.nonce:
		return nil, securityError("%s: the nonce is not the one of this exchange", digestMD5Name)
	case r.realm != x.realm:
		return nil, classed(ErrAuthentication, "%s: the realm is not the one of this server", digestMD5Name)
	case !x.reaches(r.uri):
		return nil, securityError("%s: the client wants to reach another service or host: somebody may relay the login", digestMD5Name)
	}
	id, err := x.terms.Identity(r.username, r.authzid)
	if err != nil {
		return nil, err
	}
	password, err := x.lookup.password(ctx, id.Username)
	if err != nil {
		return nil, err
	}
	digest, rspauth := r.digestValues(password)
	if subtle.ConstantTimeCompare([]byte(r.digest), []byte(digest)) != 1 {
		return nil, classed(ErrAuthentication, "%s: the digest is wrong", digestMD5Name)
	}
	x.identity = id
	if err := x.terms.Authorize(ctx, id); err != nil {
		return nil, err
	}
	return []byte("rspauth=" + rspauth), nil
}

// reaches reports whether the client's digest-uri is that of this connection:
// serv-type "/" host [ "/" serv-name ]. The serv-name is the service's other name,
// which this server does not know.
func (x *digestMD5ServerExchange) reaches(uri string) bool {
	parts := strings.SplitN(uri, "/", 3)
	if len(parts) < 2 || !strings.EqualFold(parts[0], x.terms.Conn.Service) {
		return false
	}
	return x.terms.Conn.Host == "" || strings.EqualFold(parts[1], x.terms.Conn.Host)
}
