package harness

import (
	"bufio"
	"errors"
	"io"
	"strings"
)

// readLDAP reads an LDAPMessage: a sequence with a length of one octet or, behind one that says how many, of several.
func readLDAP(r *bufio.Reader) (string, error) {
	b, err := r.Peek(2)
	if err != nil {
		return "", err
	}
	size, content := 2, int(b[1])
	if content >= 0x80 {
		size += content & 0x7f
		if b, err = r.Peek(size); err != nil {
			return "", err
		}
		content = 0
		for _, octet := range b[2:] {
			content = content<<8 | int(octet)
		}
	}
	if b[0] != 0x30 || size > 6 || content > 1<<24 {
		return "", errors.New("no LDAP message")
	}
	message := make([]byte, size+content)
	_, err = io.ReadFull(r, message)
	return string(message), err
}

// untilLDAPStartTLS relays StartTLS, which comes first, and reports whether the server agreed.
func (m MITM) untilLDAPStartTLS(client, server *lineConn) bool {
	if _, err := client.pass(server, m.FromClient, false); err != nil {
		return false
	}
	answer, err := server.pass(client, m.FromServer, false)
	return err == nil && strings.Contains(answer, "\x0a\x01\x00")
}
