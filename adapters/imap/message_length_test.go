package saslimap

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2/imapclient"

	sasl "github.com/saslkit/saslkit/core"
)

// longLogin is a client whose message has this number of octets, with the message in
// base64.
func longLogin(octets int) (*sasl.Client, string) {
	message := "\x00u\x00" + strings.Repeat("p", octets-3)
	client := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("u", message[3:]))}, Allow: plain.Allow}
	return client, base64.StdEncoding.EncodeToString([]byte(message))
}

// TestLongMessage: a message of 5952 octets is on the line, a longer one waits for
// the server to ask for it.
func TestLongMessage(t *testing.T) {
	for octets, digits := range map[int]int{3 << 10: 4096, 5952: 7936, 5953: 7940, 16 << 10: 21848} {
		client, message := longLogin(octets)
		if len(message) != digits {
			t.Fatal(len(message))
		}
		lines := []string{"<A1 AUTHENTICATE PLAIN " + message, "A1 OK welcome"}
		if octets > 5952 {
			lines = []string{"<A1 AUTHENTICATE PLAIN", "+ ", "<" + message, "A1 OK welcome"}
		}
		c, err := NewConn(t.Context(), prompt(t, append([]string{listsSASLIR}, lines...)...), "", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Authenticate(soon(t), client); err != nil {
			t.Errorf("%d octets: %v", octets, err)
		}
	}
}

// TestLongMessageNotAskedFor: a server that does not ask gets nothing.
func TestLongMessageNotAskedFor(t *testing.T) {
	for answer, class := range map[string]sasl.Class{"A1 OK welcome": sasl.ErrSecurity, "A1 BAD too long": sasl.ErrProtocol} {
		client, _ := longLogin(5953)
		c, err := NewConn(t.Context(), prompt(t, listsSASLIR, "<A1 AUTHENTICATE PLAIN", answer), "", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Authenticate(soon(t), client); sasl.ClassOf(err) != class {
			t.Errorf("%s: %v", answer, err)
		}
	}
}

// TestExistingLongMessage: the library writes the message on the line if the server
// has SASL-IR, so a longer one is refused here. Without SASL-IR it is sent.
func TestExistingLongMessage(t *testing.T) {
	for name, row := range map[string]struct {
		capabilities string
		octets       int
		class        sasl.Class
	}{
		"inline":           {"SASL-IR ", 5952, ""},
		"too long":         {"SASL-IR ", 5953, sasl.ErrConfig},
		"without SASL-IR":  {"", 5953, ""},
		"16 KiB without":   {"", 16 << 10, ""},
		"IMAP4rev2 has it": {"IMAP4rev2 ", 5953, sasl.ErrConfig},
	} {
		auth, message := longLogin(row.octets)
		lines := []string{"* OK [CAPABILITY IMAP4rev1 " + row.capabilities + "AUTH=PLAIN] hi"}
		switch {
		case row.class != "":
		case row.capabilities == "":
			lines = append(lines, "<T1 AUTHENTICATE PLAIN", "+ ", "<"+message, "T1 OK [CAPABILITY IMAP4rev1] welcome")
		default:
			lines = append(lines, "<T1 AUTHENTICATE PLAIN "+message, "T1 OK [CAPABILITY IMAP4rev1] welcome")
		}
		conn := prompt(t, lines...)
		if row.class != "" {
			conn = mute{conn} // nothing may be sent
		}
		client := imapclient.New(conn, nil)
		_, err := Authenticate(soon(t), client, auth, Existing{})
		if sasl.ClassOf(err) != row.class || (err == nil) != (row.class == "") {
			t.Errorf("%s: %v", name, err)
		}
		client.Close()
	}
}
