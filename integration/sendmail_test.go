package integration

import (
	"context"
	"errors"
	netsmtp "net/smtp"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
)

// sendMailTo, if set, makes the process of these tests one that only sends mail
// to that address, since smtp.SendMail trusts nothing but what is the system's
// when a process begins.
const sendMailTo = "SASLKIT_TEST_SENDMAIL_TO"

// sendMail prints the outcome and exits.
func sendMail(address string) {
	host, _, _ := strings.Cut(address, ":")
	auth := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(sasl.Password("alice", os.Getenv("SASLKIT_PASSWORD")))}
	err := netsmtp.SendMail(address, saslsmtp.Auth(context.Background(), host, auth), "sender@client.test", []string{"alice@postfix.test"}, []byte(mailText(os.Getenv("SASLKIT_SUBJECT"))))
	var refused *textproto.Error
	switch {
	case err == nil:
		os.Stdout.WriteString("sent")
	case errors.As(err, &refused) && refused.Code == 535:
		os.Stdout.WriteString("refused")
	default:
		os.Stdout.WriteString(err.Error())
	}
	os.Exit(0)
}

// TestSASLSMTPSendMail: the Auth for a function that accepts nothing else, in a process
// that trusts the server's authority, and in one that does not.
func TestSASLSMTPSendMail(t *testing.T) {
	t.Parallel()
	srv := harness.Postfix(t)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, srv.PKI.RootPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	send := func(trusted, password string) string {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), sendMailTo+"="+srv.CyrusSASL.STARTTLS, "SASLKIT_PASSWORD="+password, "SASLKIT_SUBJECT="+t.Name(), "SSL_CERT_FILE="+trusted, "SSL_CERT_DIR="+t.TempDir())
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	if got := send(ca, "secret"); got != "sent" {
		t.Error(got)
	}
	checkDelivered(t, srv, t.Name())
	if got := send(ca, "wrong"); got != "refused" {
		t.Errorf("wrong password: %s", got)
	}
	if got := send(os.DevNull, "secret"); !strings.Contains(got, "certificate") {
		t.Errorf("untrusted: %s", got)
	}
}
