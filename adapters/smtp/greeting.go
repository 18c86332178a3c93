package saslsmtp

// greet reads the server's greeting (RFC 5321 s4.2).
func (c *Conn) greet() error {
	r, err := readReply(c.protocol.reader)
	if err == nil && r.code != 220 {
		err = rejected(r.refusal())
	}
	return err
}
