package saslldap

// Held tells how many of the library's messages wait for a bind to end.
func Held(c *Client) int {
	c.mux.mu.Lock()
	defer c.mux.mu.Unlock()
	return len(c.mux.held)
}

// Outstanding tells how many of the library's requests await an answer.
func Outstanding(c *Client) int {
	c.mux.mu.Lock()
	defer c.mux.mu.Unlock()
	return len(c.mux.outstanding)
}

// Holding tells whether the library's requests are held back.
func Holding(c *Client) bool {
	c.mux.mu.Lock()
	defer c.mux.mu.Unlock()
	return c.mux.holding
}
