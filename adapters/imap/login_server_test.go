package saslimap

import (
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestLoginCommandOverTLS: the library's server lists LOGINDISABLED before TLS. After
// STARTTLS its new list counts, and it reads the strings as they were meant.
func TestLoginCommandOverTLS(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	options := &Options{TLSConfig: server.client, LoginCommand: true}
	only := func(password string) *sasl.Client {
		return &sasl.Client{Mechanisms: []sasl.Mechanism{LoginCommand(sasl.Password("us\"er", password))}}
	}
	raw, err := net.Dial("tcp", server.startTLS)
	if err != nil {
		t.Fatal(err)
	}
	clear, err := NewConn(t.Context(), raw, host, options)
	if err != nil {
		t.Fatal(err)
	}
	client := only("any")
	client.Allow = sasl.AllowInsecure(LoginCommandName)
	if _, err := clear.Authenticate(soon(t), client); sasl.ClassOf(err) != sasl.ErrPolicy || !strings.Contains(err.Error(), "LOGINDISABLED") {
		t.Errorf("without TLS: %v", err)
	}
	clear.Close()

	conn, err := DialStartTLS(t.Context(), server.startTLS, options)
	if err != nil {
		t.Fatal(err)
	}
	var own *imap.Error
	if _, err := conn.Authenticate(soon(t), only("wröng")); sasl.ClassOf(err) != sasl.ErrAuthentication || !errors.As(err, &own) || own.Code != imap.ResponseCodeAuthenticationFailed {
		t.Errorf("a wrong password: %v", err)
	}
	result, err := conn.Authenticate(soon(t), only(`for "LOGIN" alone`))
	if want := (sasl.Result{Mechanism: "IMAP-LOGIN", Username: "us\"er", RoundTrips: 1}); err != nil || result != want {
		t.Fatalf("%+v, %v", result, err)
	}
	if seen := receive(t, server.logins); seen.Username != "us\"er" {
		t.Errorf("the server has seen %+v", seen)
	}
	use(t, conn.Client(nil))
}
