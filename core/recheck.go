package sasl

import (
	"slices"
)

// Recheck compares the mechanisms that a server lists after a run that
// succeeded with those that it listed before, in a protocol where it can be
// asked (RFC 4513 s5.2.1.2): an ErrSecurity if c would have preferred one of the
// later list to the one that was used, because then somebody may have taken it
// out before. A list that could not be read, before or after, says nothing; nor
// does a run that another Client of Retry has done.
func (c *Client) Recheck(srv ServerInfo, done Result, later []string) error {
	used := c.rank(done.Mechanism)
	if used < 0 || len(srv.Mechanisms) == 0 || len(later) == 0 {
		return nil
	}
	srv.Mechanisms = later
	best, err := c.choose(&srv)
	if err != nil || c.rank(best.mechanism.Name()) >= used {
		return nil
	}
	return securityError("after the run the server lists %s, which it did not before: was it taken out of the list?", best.mechanism.Name())
}

// rank is the place of a mechanism among those of the Client, -1 for none.
func (c *Client) rank(name string) int {
	return slices.IndexFunc(c.Mechanisms, func(m Mechanism) bool { return m.Name() == name })
}
