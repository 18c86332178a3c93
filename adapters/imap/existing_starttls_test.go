package saslimap

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestExistingAfterSTARTTLS: a client that go-imap made with STARTTLS may have a
// list that somebody wrote into the clear text, before the answer or in it. The
// login takes the server's own list, and so not the PLAIN that was written there.
func TestExistingAfterSTARTTLS(t *testing.T) {
	certificate, pool := sasltest.Certificate(t, host)
	for name, answer := range map[string][2]string{
		"in the answer":     {"", "OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] begin\r\n"},
		"before the answer": {"* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN\r\n", "OK begin\r\n"},
	} {
		near, far := sasltest.Pair(t)
		near.SetDeadline(time.Now().Add(8 * time.Second))
		tried := make(chan string, 1)
		go func() {
			defer close(tried)
			serveSTARTTLS(far, &tls.Config{Certificates: []tls.Certificate{certificate}}, answer, tried)
		}()
		client, err := imapclient.NewStartTLS(near, &imapclient.Options{TLSConfig: &tls.Config{RootCAs: pool, ServerName: host}})
		if err != nil {
			t.Fatal(err)
		}
		auth := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(sasl.Password("tim", "tanstaaftanstaaf"))}
		_, err = Authenticate(soon(t), client, auth, Existing{Host: host, Secure: true, EqualsSign: true})
		client.Close()
		if got := <-tried; !errors.Is(err, sasl.ErrAuthentication) || got != "SCRAM-SHA-256" {
			t.Errorf("%s: tried %q: %v", name, got, err)
		}
	}
}

// serveSTARTTLS answers STARTTLS with an untagged and a tagged line. Under TLS it
// lists SCRAM too, and refuses the first login.
func serveSTARTTLS(conn net.Conn, config *tls.Config, answer [2]string, tried chan<- string) {
	io.WriteString(conn, "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n") // without a list the library asks for one
	line, _ := bufio.NewReader(conn).ReadString('\n')
	tag, _, _ := strings.Cut(line, " ")
	io.WriteString(conn, answer[0]+tag+" "+answer[1])
	secured := tls.Server(conn, config)
	reader := bufio.NewReader(secured)
	for {
		line, err := reader.ReadString('\n')
		words := strings.Fields(line)
		switch {
		case err != nil || len(words) < 2:
			return
		case words[1] == "CAPABILITY":
			fmt.Fprintf(secured, "* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=SCRAM-SHA-256\r\n%s OK done\r\n", words[0])
		case words[1] == "AUTHENTICATE":
			tried <- words[2]
			fmt.Fprintf(secured, "%s NO no\r\n", words[0])
			return
		}
	}
}
