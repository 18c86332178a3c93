package saslimap

import (
	"strings"
)

// words returns the part of a response that a person is to read: the text, and the
// address that a code such as WEBALERT or REFERRAL (RFC 2221) has.
func (r response) words() string {
	if !strings.Contains(r.args, "://") {
		return r.text
	}
	return strings.TrimPrefix(r.text+" "+r.args, " ")
}

// note takes note of an alert and of capabilities, which may be in any response
// (RFC 9051 s7.1).
func (c *Conn) note(resp response) {
	switch {
	case resp.code == "CAPABILITY":
		c.setCapabilities(resp.args)
	case resp.code == "ALERT" || resp.code == "WEBALERT" || resp.words() != resp.text:
		c.alerts.add(resp.words())
	case resp.tag == "*" && resp.status == "":
		if word, list, _ := strings.Cut(resp.text, " "); strings.EqualFold(word, "CAPABILITY") {
			c.setCapabilities(list)
		}
	}
}
