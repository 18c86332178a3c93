package sasl

// SetNonce makes every run send nonce, so that a test can replay a transcript.
func (c *Client) SetNonce(nonce string) { c.nonce = func() string { return nonce } }

// SetNonce makes every run add nonce to the client's nonce.
func (s *Server) SetNonce(nonce string) { s.nonce = func() string { return nonce } }

// HashedToken is the client's mechanism for one run with a token.
func HashedToken(name, username string, token Token) Mechanism {
	return &hashedToken{name: name, username: username, token: token}
}

// HashedTokenServer is the server's mechanism for one run.
func HashedTokenServer(name string, store TokenStore, use TokenUse) ServerMechanism {
	return &hashedTokenServer{name, store, use}
}
