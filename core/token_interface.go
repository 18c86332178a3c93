package sasl

import "time"

// TokenInterface is an Interface of a protocol that carries tokens (XEP-0484).
type TokenInterface interface {
	Interface
	// TokenMechanisms returns the mechanisms that the server offers to a client
	// with a token, in the server's order, verbatim. ServerInfo.Mechanisms does not
	// contain these mechanisms, and the server does not confirm their list
	// (XEP-0484 s3.1).
	TokenMechanisms() []string
	// RequestTokens is called before each Initiate with the data to send together
	// with the first message.
	RequestTokens(TokenRequest)
	// IssuedToken returns the token that came with success (XEP-0484 s3.3); nil =
	// no token came. The Client decides whether to keep the token.
	IssuedToken() *IssuedToken
}

// TokenRequest holds a client's data about tokens that accompany the first
// message.
type TokenRequest struct {
	// Count: the mechanism logs in with a token, for the Count-th time:
	// <fast count="…"/>. 0 = the mechanism logs in without a token.
	Count uint64
	// Invalidate asks the server to forget the token of this login.
	Invalidate bool
	// Mechanism is the mechanism of the requested token: <request-token/>; "" = the
	// client requests no token.
	Mechanism string
}

// IssuedToken is a token in the form in which it arrived: <token/>.
type IssuedToken struct {
	Token  Secret    // the issued text
	Expiry time.Time // zero = not stated, or illegible
}
