package saslimap

import (
	"bufio"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// FuzzResponses reads arbitrary octets as the server's responses: reading
// terminates without a panic, its errors have a class, and no line becomes two.
func FuzzResponses(f *testing.F) {
	for _, m := range malformed {
		f.Add(m.Frame)
	}
	f.Add("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n+ YWJj\r\nA1 NO [ALERT] Gone\r\n")
	f.Add("* LIST () {5}\r\nA1 OK {3+}\r\nxyz\r\n+\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		c := &Conn{reader: bufio.NewReader(strings.NewReader(text))}
		for {
			resp, err := readResponse(c.reader)
			if err != nil {
				if sasl.ClassOf(err) == "" {
					t.Fatalf("no class: %v", err)
				}
				return
			}
			if strings.Contains(resp.tag+resp.status+resp.code+resp.args+resp.text, "\n") {
				t.Fatalf("a line feed in %+v", resp)
			}
			c.note(resp)
			if resp.tag == "+" {
				decodeChallenge(resp.text)
			}
			if len(c.alerts) > maxAlerts {
				t.Fatal("alerts without bound")
			}
		}
	})
}
