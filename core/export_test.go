package sasl

// SetNonce makes every run send nonce, so that a transcript can be replayed.
func (c *Client) SetNonce(nonce string) { c.nonce = func() string { return nonce } }

// SetNonce makes every run add nonce to the client's.
func (s *Server) SetNonce(nonce string) { s.nonce = func() string { return nonce } }
