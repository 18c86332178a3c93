package integration

import (
	"crypto/tls"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/saslkit/saslkit/integration/internal/harness"
)

func withoutPlus(line string, _ bool) string {
	line = strings.ReplaceAll(line, " AUTH=SCRAM-SHA-1-PLUS", "")
	return strings.ReplaceAll(line, " AUTH=SCRAM-SHA-256-PLUS", "")
}

// The client cannot tell: the certificate is another one, but of the authority it trusts and for the name it wants.
func TestMITMOverTLS(t *testing.T) {
	t.Parallel()
	srv := harness.Dovecot(t)
	config := &tls.Config{ServerName: srv.Host, RootCAs: srv.CA}
	var password atomic.Bool
	address := harness.MITM{
		Server: srv.IMAPS, Upstream: config, Cert: srv.PKI.ServerCert(srv.Host), Implicit: true,
		FromServer: withoutPlus,
		FromClient: func(line string, secured bool) string {
			if secured && strings.Contains(line, "LOGIN alice secret") {
				password.Store(true)
			}
			return line
		},
	}.Start(t)

	c := dialIMAP(t, address, config)
	checkMechanisms(t, c.capabilities(t),
		[]string{"AUTH=PLAIN", "AUTH=SCRAM-SHA-1", "AUTH=SCRAM-SHA-256", "AUTH=ANONYMOUS", "AUTH=EXTERNAL"})
	c.ok(t, "LOGIN alice secret")
	c.readMessage(t)
	if !password.Load() {
		t.Error("the password went past the man in the middle")
	}
}

func TestMITMOverSTARTTLS(t *testing.T) {
	t.Parallel()
	srv := harness.Dovecot(t)
	config := &tls.Config{ServerName: srv.Host, RootCAs: srv.CA}
	address := harness.MITM{
		Server: srv.IMAP, Upstream: config, Cert: srv.PKI.ServerCert(srv.Host),
		FromServer: func(line string, secured bool) string {
			if secured {
				return withoutPlus(line, secured)
			}
			return strings.ReplaceAll(line, " AUTH=SCRAM-SHA-256", "")
		},
	}.Start(t)

	c := dialIMAP(t, address, nil)
	checkMechanisms(t, c.capabilities(t),
		[]string{"STARTTLS", "AUTH=PLAIN", "AUTH=SCRAM-SHA-1", "AUTH=ANONYMOUS", "AUTH=EXTERNAL"})
	c.startTLS(t, config)
	checkMechanisms(t, c.capabilities(t),
		[]string{"AUTH=PLAIN", "AUTH=SCRAM-SHA-1", "AUTH=SCRAM-SHA-256", "AUTH=ANONYMOUS", "AUTH=EXTERNAL"})
	c.ok(t, "AUTHENTICATE PLAIN "+base64("\x00alice\x00secret"))
	c.readMessage(t)
}

// Without TLS a man in the middle only has to hide that there could be any.
func TestMITMHidesSTARTTLS(t *testing.T) {
	t.Parallel()
	srv := harness.Dovecot(t)
	address := harness.MITM{
		Server:     srv.IMAP,
		FromServer: func(line string, _ bool) string { return strings.ReplaceAll(line, " STARTTLS", "") },
	}.Start(t)

	c := dialIMAP(t, address, nil)
	if strings.Contains(c.greeting, "STARTTLS") {
		t.Errorf("greeting %q", c.greeting)
	}
	checkMechanisms(t, c.capabilities(t),
		[]string{"AUTH=PLAIN", "AUTH=SCRAM-SHA-1", "AUTH=SCRAM-SHA-256", "AUTH=ANONYMOUS", "AUTH=EXTERNAL"})
	c.ok(t, "LOGIN alice secret")
	c.readMessage(t)
}

func TestMITMWithoutTheAuthority(t *testing.T) {
	t.Parallel()
	srv := harness.Dovecot(t)
	config := &tls.Config{ServerName: srv.Host, RootCAs: srv.CA}
	address := harness.MITM{
		Server: srv.IMAPS, Upstream: config, Cert: harness.NewPKI().ServerCert(srv.Host), Implicit: true,
	}.Start(t)

	if _, err := tls.Dial("tcp", address, config); err == nil {
		t.Error("the certificate of an unknown authority was believed")
	}
}
