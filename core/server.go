package sasl

import "context"

// Server is the configuration of a server. A Server is safe for concurrent use.
// Validate checks the configuration.
type Server struct {
	// Mechanisms are the mechanisms that the server may offer, in the order of the
	// server's list. No two have the same name.
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
	// challenge may not return for the end of the exchange. The reason has a Class.
	// Refused is also called for the refusals of an adapter (Refuse). Nil = no call.
	Refused func(mechanism string, conn ConnInfo, reason error)
	// Key makes the salts that SCRAM sends for users who do not exist: at least
	// 16 random octets, which stay the same as long as the users do. A server
	// without a Key does not offer SCRAM.
	Key Secret
	// Stored describes the common properties of the stored SCRAM records.
	Stored StoredRecords
	// Tokens lets clients log in with tokens that the server issued (XEP-0484), in
	// a protocol that carries tokens; nil = no tokens.
	Tokens *ServerTokens

	nonce func() string
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
