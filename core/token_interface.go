package sasl

import "time"

// TokenInterface is an Interface of a protocol that carries tokens (XEP-0484).
type TokenInterface interface {
	Interface
	// TokenMechanisms is what the server offers to a client that holds a token, in
	// the server's order, verbatim. It is no part of ServerInfo.Mechanisms, nor of
	// what the server confirms (XEP-0484 s3.1).
	TokenMechanisms() []string
	// RequestTokens is called before each Initiate with what goes out beside it.
	RequestTokens(TokenRequest)
	// IssuedToken returns the token that came with success (XEP-0484 s3.3); nil =
	// none. The Client decides whether to keep it.
	IssuedToken() *IssuedToken
}

// TokenRequest is what a client says about tokens beside its first message.
type TokenRequest struct {
	// Count: the mechanism logs in with a token, for the Count-th time:
	// <fast count="…"/>. 0 = it logs in with something else.
	Count uint64
	// Invalidate goes with it.
	Invalidate bool
	// Mechanism is the one to ask for a token for: <request-token/>; "" = none.
	Mechanism string
}

// IssuedToken is a token as it arrived: <token/>.
type IssuedToken struct {
	Token  Secret
	Expiry time.Time // zero = not stated, or not legible
}
