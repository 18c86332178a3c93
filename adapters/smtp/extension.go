package saslsmtp

import (
	"net"
	"slices"
	"strings"
)

// ehlo says EHLO (RFC 5321 s4.1.1.1), and keeps the extensions that matter here.
func (c *Conn) ehlo() error {
	r, err := c.protocol.roundTrip("EHLO " + clientName(c.conn.LocalAddr()))
	switch {
	case err != nil:
		return err
	case r.code != 250:
		return rejected(r.refusal())
	}
	lines := strings.Split(r.text, "\n")[1:] // the first is the server's name
	c.mechanisms = authKeyword(lines)
	c.startsTLS = slices.ContainsFunc(lines, func(line string) bool {
		return strings.EqualFold(strings.TrimSpace(line), "STARTTLS")
	})
	return nil
}

// clientName returns the name of this end for EHLO: the literal of its address
// (RFC 5321 s4.1.3), or localhost if there is no address of the Internet.
func clientName(local net.Addr) string {
	tcp, ok := local.(*net.TCPAddr)
	switch {
	case !ok || len(tcp.IP) == 0:
		return "localhost"
	case tcp.IP.To4() != nil:
		return "[" + tcp.IP.String() + "]"
	}
	return "[IPv6:" + tcp.IP.String() + "]"
}

// authKeyword returns the mechanisms in the lines of a reply to EHLO. The keyword
// may be in any case, and old servers write AUTH=LOGIN.
func authKeyword(lines []string) (mechanisms []string) {
	for _, line := range lines {
		line = strings.ToUpper(strings.TrimSpace(line))
		list, ok := strings.CutPrefix(line, "AUTH")
		if !ok || list != "" && list[0] != ' ' && list[0] != '=' {
			continue
		}
		for _, name := range strings.Fields(strings.TrimPrefix(list, "=")) {
			if !slices.Contains(mechanisms, name) {
				mechanisms = append(mechanisms, name)
			}
		}
	}
	return mechanisms
}
