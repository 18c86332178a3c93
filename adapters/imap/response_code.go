package saslimap

import "strings"

// maxAlerts bounds the alerts that are kept.
const maxAlerts = 16

// note takes note of an alert and of capabilities, which may be in any response
// (RFC 9051 s7.1).
func (c *Conn) note(resp response) {
	switch {
	case resp.code == "ALERT" && len(c.alerts) < maxAlerts:
		c.alerts = append(c.alerts, c.alert(resp.text))
	case resp.code == "CAPABILITY":
		c.setCapabilities(resp.args)
	case resp.tag == "*" && resp.status == "":
		if word, list, _ := strings.Cut(resp.text, " "); strings.EqualFold(word, "CAPABILITY") {
			c.setCapabilities(list)
		}
	}
}

// alert returns the text of an alert, unless the text repeats the last message of
// ours. The first 16 octets decide, because servers cut a line that they repeat.
func (c *Conn) alert(text string) string {
	const enough = 16
	payload := string(c.payload.Bytes())
	if len(payload) >= enough && strings.Contains(text, payload[:enough]) {
		return "(withheld: it repeats what was sent)"
	}
	return text
}
