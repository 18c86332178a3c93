package saslxmpp

import (
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

// text is a connection to a peer that sends a text.
type text struct {
	net.Conn
	r io.Reader
}

func (c text) Read(p []byte) (int, error) { return c.r.Read(p) }

func (c text) SetReadDeadline(time.Time) error { return nil }

// tokens returns what a parser sees, without white space, up to an error.
func tokens(r io.Reader) (list []string, err error) {
	d := xml.NewDecoder(r)
	for {
		token, err := d.RawToken()
		if err != nil {
			return list, err
		}
		shown := fmt.Sprintf("%T%s", token, token)
		if text, ok := token.(xml.CharData); ok {
			shown = strings.Join(strings.Fields(string(text)), "")
		}
		if shown != "" {
			list = append(list, shown)
		}
	}
}

// FuzzMarkup reads any text in one piece and octet by octet: a parser sees the same
// elements as without the markup, up to an error of the markup, which has a class.
func FuzzMarkup(f *testing.F) {
	const header = "<?xml version='1.0'?> <stream:stream xmlns='jabber:client' a=\"'>\">"
	for _, seed := range []string{
		header + "\n<stream:features>\n <a b='/>'/> <c> d </c>\n</stream:features> <e/>", header + "<a><![CDATA[ <!-- ]] ]]]]></a>",
		header + "<proceed/> \x16\x03", header + "<a><!-- --></a>", "<!DOCTYPE a>", "220 mail\r\n", "<html/>", header + "</stream:stream>", header + "t", "<stream/ ><a / ></a>",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, said string) {
		var seen [2][]string
		var errs [2]error
		for i, r := range []io.Reader{strings.NewReader(said), iotest.OneByteReader(strings.NewReader(said))} {
			_, conn := limit(text{r: r}, 0)
			seen[i], errs[i] = tokens(conn)
		}
		if !slices.Equal(seen[0], seen[1]) || fmt.Sprint(errs[0]) != fmt.Sprint(errs[1]) {
			t.Fatalf("%q, %v; octet by octet %q, %v", seen[0], errs[0], seen[1], errs[1])
		}
		whole, err := tokens(strings.NewReader(said))
		if sasl.ClassOf(errs[0]) == "" && fmt.Sprint(err) == fmt.Sprint(errs[0]) && !slices.Equal(whole, seen[0]) {
			t.Fatalf("%q, without the markup %q", seen[0], whole)
		}
		if n := len(seen[0]); sasl.ClassOf(errs[0]) != "" && (n > len(whole) || !slices.Equal(seen[0], whole[:n])) {
			t.Fatalf("%q, then %v, without the markup %q", seen[0], errs[0], whole)
		}
	})
}
