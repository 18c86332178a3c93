package saslimap

import (
	"bufio"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestUntaggedAreBounded: 1000 untagged responses may come before an answer, and
// no more.
func TestUntaggedAreBounded(t *testing.T) {
	for number, class := range map[int]sasl.Class{999: "", 1000: sasl.ErrProtocol} {
		flood := strings.TrimSuffix(strings.Repeat("* 1 EXISTS\r\n", number), "\r\n")
		c, err := NewConn(t.Context(), prompt(t, listsSASLIR, "<A1 AUTHENTICATE PLAIN "+plainMessage, flood, "A1 OK in"), "", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Authenticate(t.Context(), plain); sasl.ClassOf(err) != class {
			t.Errorf("%d: %v, want class %q", number, err, class)
		}
		c.Close()
	}
}

// TestOctetByOctet: a whole login whose octets arrive one by one has the outcome of
// one that arrives at once, with line ends that are divided too.
func TestOctetByOctet(t *testing.T) {
	near, far := sasltest.Pair(t)
	go func() {
		reader := bufio.NewReader(far)
		for _, text := range []string{
			"* OK hi\r\n",
			"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nA1 OK done\r\n",
			"* LIST {3}\r\na\r\n {0}\r\n\r\n+\r\n",
			"* NO [ALERT] Disk full\r\nA2 OK [CAPABILITY IMAP4rev1] welcome\r\n",
		} {
			drip(far, text)
			reader.ReadString('\n')
		}
	}()
	c, err := NewConn(t.Context(), near, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Authenticate(t.Context(), plain); err != nil {
		t.Error(err)
	}
	if got := strings.Join(c.Alerts(), "|"); got != "Disk full" {
		t.Errorf("alerts %q", got)
	}
}

// TestResponseInReads: a response does not depend on the reads.
func TestResponseInReads(t *testing.T) {
	const text = "* X {4}\r\n\r\nA {1}\r\n}\r\nA1 no [Alert] \tgone\r\n"
	for name, reads := range map[string]func(io.Reader) io.Reader{"one octet": iotest.OneByteReader, "half": iotest.HalfReader, "with the end": iotest.DataErrReader} {
		r := bufio.NewReader(reads(strings.NewReader(text)))
		first, err := readResponse(r)
		if err != nil || first.tag != "*" || first.status != "" {
			t.Errorf("%s: %+v, %v", name, first, err)
		}
		second, err := readResponse(r)
		if err != nil || second.tag != "A1" || second.status != "NO" || second.code != "ALERT" || second.text != "\tgone" {
			t.Errorf("%s: %+v, %v", name, second, err)
		}
	}
}
