package krb5

import (
	"crypto/fips140"
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
	saslkerberos "github.com/saslkit/saslkit/kerberos"
)

// TestBindingUnderFIPS: if FIPS 140 is enforced, a channel binding, which needs MD5, is an
// error before anything is sent. The test runs itself in that mode.
func TestBindingUnderFIPS(t *testing.T) {
	if !fips140.Enforced() {
		command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBindingUnderFIPS$", "-test.v")
		command.Env = append(os.Environ(), "GODEBUG=fips140=only")
		if output, err := command.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, output)
		}
		return
	}
	l := newLogin(nil, saslkerberos.Request{ChannelBinding: []byte("tls-server-end-point:hash")})
	if _, err := l.newContext(ticket{start: time.Now(), end: time.Now().Add(time.Hour)}); !errors.Is(err, sasl.ErrPolicy) {
		t.Error(err)
	}
}
