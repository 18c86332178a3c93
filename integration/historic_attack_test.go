package integration

import (
	b64 "encoding/base64"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	saslimap "github.com/saslkit/saslkit/adapters/imap"
	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
)

// TestDigestMD5ForgedProof: somebody in between, whose certificate the client trusts,
// changes the server's proof. The login is refused although the server says that it has
// succeeded.
func TestDigestMD5ForgedProof(t *testing.T) {
	t.Parallel()
	mail, submission := harness.DovecotHistoric(t), harness.PostfixHistoric(t)
	auth := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.DigestMD5(alice)}}
	for name, row := range map[string]struct {
		srv    harness.Named
		server string
		login  func(address string) error
	}{
		"Dovecot": {mail.Named, mail.IMAPS, func(address string) error {
			conn, err := saslimap.DialTLS(t.Context(), address, &saslimap.Options{TLSConfig: mail.ClientConfig(0)})
			_, err = opened(t, conn, err).Authenticate(t.Context(), auth)
			return err
		}},
		"Cyrus": {submission.Named, submission.CyrusHistoric.Implicit, func(address string) error {
			conn, err := saslsmtp.DialTLS(t.Context(), address, &saslsmtp.Options{TLSConfig: submission.ClientConfig(0)})
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_, err = conn.Authenticate(t.Context(), auth)
			return err
		}},
	} {
		for forges, class := range map[bool]sasl.Class{false: "", true: sasl.ErrSecurity} {
			var proofs atomic.Int32
			address := harness.MITM{
				Server: row.server, Upstream: row.srv.ClientConfig(0), Cert: row.srv.PKI.ServerCert(row.srv.Host), Implicit: true,
				FromServer: func(line string, _ bool) string {
					forged, found := forgedProof(line)
					if found {
						proofs.Add(1)
					}
					if !forges {
						return line
					}
					return forged
				},
			}.Start(t)
			if err := row.login(address); sasl.ClassOf(err) != class || proofs.Load() != 1 {
				t.Errorf("%s, forged %t: %v after %d proofs", name, forges, err, proofs.Load())
			}
		}
	}
}

// forgedProof replaces the rspauth in a challenge by that of another exchange, and reports
// whether there is one.
func forgedProof(line string) (string, bool) {
	code, encoded, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
	text, err := b64.StdEncoding.DecodeString(encoded)
	if err != nil || !strings.HasPrefix(string(text), "rspauth=") {
		return line, false
	}
	return code + " " + base64("rspauth=ea40f60335c427b5527b84dbabcdfffd") + "\r\n", true // RFC 2831 section 4
}

// TestHistoricIsNamed: a Client of PasswordMechanisms does not log in to a server that has
// nothing else, and the command does so only with --mechanism.
func TestHistoricIsNamed(t *testing.T) {
	t.Parallel()
	srv := harness.DovecotHistoric(t)
	_, err := implicit(t, srv, srv.ClientConfig(0)).Authenticate(t.Context(), &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)})
	if !errors.Is(err, sasl.ErrPolicy) {
		t.Error(err)
	}
	for name, row := range map[string]commandRow{
		"not named":      {srv.IMAPS, "secret", []string{"imaps://alice@dovecot.test"}, 5, "policy", "", ""},
		"LOGIN":          {srv.IMAPS, "secret", []string{"--mechanism", "LOGIN", "imaps://alice@dovecot.test"}, 0, "", "", ""},
		"CRAM-MD5":       {srv.IMAP, "secret", []string{"--mechanism", "CRAM-MD5", "imap://alice@dovecot.test"}, 0, "", "", ""},
		"DIGEST-MD5":     {srv.Submission.STARTTLS, "secret", []string{"--mechanism", "DIGEST-MD5", "smtp://alice@dovecot.test"}, 0, "", "", ""},
		"wrong password": {srv.IMAPS, "wrong", []string{"--mechanism", "DIGEST-MD5", "imaps://alice@dovecot.test"}, 1, "authentication", "", ""},
	} {
		t.Run(name, func(t *testing.T) { row.check(t, srv.Named) })
	}
}
