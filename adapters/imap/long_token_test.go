package saslimap

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestLongToken: a JSON Web Token of 3 KiB passes through every client and the
// library's server.
func TestLongToken(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	for _, m := range sasl.BearerMechanisms(sasl.FixedBearerToken("user", sasltest.LongToken())) {
		auth := &sasl.Client{Mechanisms: []sasl.Mechanism{m}}
		want := sasl.Result{Mechanism: m.Name(), Username: "user", RoundTrips: 1}
		for kind, conn := range server.dialBoth(t, server.client) {
			if result, err := conn.Authenticate(soon(t), auth); err != nil || result != want {
				t.Errorf("%s, %s: %+v, %v", m.Name(), kind, result, err)
				continue
			}
			receive(t, server.logins)
			use(t, conn.Client(nil))
		}
		conn, err := tls.Dial("tcp", server.implicit, server.client)
		if err != nil {
			t.Fatal(err)
		}
		state := conn.ConnectionState()
		client := imapclient.New(conn, nil)
		if result, err := Authenticate(soon(t), client, auth, Existing{Host: host, TLS: &state}); err != nil || result != want {
			t.Errorf("%s, a client that exists: %+v, %v", m.Name(), result, err)
			client.Close()
			continue
		}
		receive(t, server.logins)
		use(t, client)
	}
}

// TestServerLengths: what the library's server reads of a client, on both sides of
// its limits. The password is wrong, and a message that was read is refused so.
func TestServerLengths(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	for _, row := range []struct {
		inline       bool
		octets, line int // of the message, and of its base64
		want         string
	}{
		{true, 38340, 51120, "a NO [AUTHENTICATIONFAILED] "},
		{true, 38400, 51200, "a NO [SERVERBUG] "},
		{false, 3069, 4092, "a NO [AUTHENTICATIONFAILED] "},
		{false, 3070, 4096, "a NO [SERVERBUG] "},
	} {
		conn, err := tls.Dial("tcp", server.implicit, server.client)
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(8 * time.Second))
		reader := bufio.NewReader(conn)
		said := func() string {
			line, err := reader.ReadString('\n')
			if err != nil {
				t.Errorf("%+v: %v", row, err)
			}
			return line
		}
		said() // the greeting
		message := base64.StdEncoding.EncodeToString([]byte("\x00user\x00" + strings.Repeat("p", row.octets-6)))
		if len(message) != row.line {
			t.Fatal(len(message))
		}
		if row.inline {
			fmt.Fprintf(conn, "a AUTHENTICATE PLAIN %s\r\n", message)
		} else {
			fmt.Fprint(conn, "a AUTHENTICATE PLAIN\r\n")
			said()
			fmt.Fprintf(conn, "%s\r\n", message)
		}
		if got := said(); !strings.HasPrefix(got, row.want) {
			t.Errorf("%+v: %q", row, got)
		}
		conn.Close()
		if strings.Contains(row.want, "AUTHENTICATIONFAILED") {
			receive(t, server.refusals)
		}
	}
}
