package main

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"strings"
	"testing"
	"time"
)

// TestCertificateRemedy shows the advice for each fault of a certificate, with names
// and dates.
func TestCertificateRemedy(t *testing.T) {
	leaf := &x509.Certificate{
		DNSNames: []string{"mail.example.org"}, Subject: pkix.Name{CommonName: "mail"}, Issuer: pkix.Name{CommonName: "Example CA"},
		NotBefore: time.Date(2020, 1, 2, 3, 4, 0, 0, time.UTC), NotAfter: time.Date(2021, 1, 2, 3, 4, 0, 0, time.UTC),
	}
	early := &x509.Certificate{DNSNames: leaf.DNSNames, NotBefore: time.Date(2999, 1, 2, 3, 4, 0, 0, time.UTC), NotAfter: time.Date(2999, 2, 2, 3, 4, 0, 0, time.UTC)}
	itself := &x509.Certificate{IPAddresses: []net.IP{net.IPv4(192, 0, 2, 1)}, Subject: pkix.Name{CommonName: "box"}, Issuer: pkix.Name{CommonName: "box"}}
	nameless := &x509.Certificate{Subject: pkix.Name{CommonName: "box"}}
	many := &x509.Certificate{DNSNames: strings.Fields("a b c d e f g")}
	for name, row := range map[string]struct {
		err  error
		leaf *x509.Certificate
		want string
	}{
		"expired":       {x509.CertificateInvalidError{Cert: leaf, Reason: x509.Expired}, leaf, "the certificate of mail.example.org expired on 2021-01-02 03:04 UTC; the owner of the server has to renew it, unless the clock of this machine ("},
		"not yet valid": {x509.CertificateInvalidError{Cert: early, Reason: x509.Expired}, early, "the certificate of mail.example.org is valid only from 2999-01-02 03:04 UTC; the clock of this machine says "},
		"another name":  {x509.HostnameError{Certificate: leaf, Host: "imap.example.org"}, leaf, "the certificate is for mail.example.org, and not for imap.example.org; write a name"},
		"no name":       {x509.HostnameError{Certificate: nameless, Host: "imap.example.org"}, leaf, `the certificate is for "CN=box", and not for imap.example.org; `},
		"many names":    {x509.HostnameError{Certificate: many, Host: "z"}, leaf, `the certificate is for a, b, c, d, e, others, and not for z; `},
		"authority":     {x509.UnknownAuthorityError{Cert: leaf}, leaf, `the issuer "CN=Example CA" of the certificate of mail.example.org is unknown; use --ca-file if you trust this authority`},
		"its own":       {x509.UnknownAuthorityError{Cert: itself}, itself, `the certificate of 192.0.2.1 is its own issuer; use --ca-file with this certificate if you trust it`},
		"else":          {x509.CertificateInvalidError{Cert: leaf, Reason: x509.IncompatibleUsage}, leaf, "use --ca-file if the system does not have the authority that you trust"},
	} {
		err := &tls.CertificateVerificationError{UnverifiedCertificates: []*x509.Certificate{row.leaf}, Err: row.err}
		if lines := advise(err); len(lines) != 1 || !strings.HasPrefix(lines[0], "advice: "+row.want) {
			t.Errorf("%s: %q, want %s", name, lines, row.want)
		}
	}
}
