package channelbinding

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"testing"
)

// TestSecure: a verified chain and the right name make a connection Secure, and
// nothing less does. The reason says which of the two is missing.
func TestSecure(t *testing.T) {
	ca := newAuthority(t, ecdsaKey(t))
	client, server := configs(t, ca, tls.VersionTLS13)
	unverified := client.Clone()
	unverified.InsecureSkipVerify = true
	const skipped = "crypto/tls did not verify the server's certificate, because the tls.Config has InsecureSkipVerify; set RootCAs instead, or assert Secure if a callback verifies it"
	for _, row := range []struct {
		name   string
		config *tls.Config
		host   string
		reason string // "" = Secure
	}{
		{"verified", client, host, ""},
		{"verified for another name", client, "other.example.org", `the server's certificate is for mail.example.org, and not for the host "other.example.org"`},
		{"a name with a control character", client, "other\x1b.example.org", `the server's certificate is for mail.example.org, and not for the host "other.example.org"`},
		{"verified, no name", client, "", "the name of the host is empty; set it to the name that the server's certificate has"},
		{"verified, with a port", client, host + ":993", `the host "mail.example.org:993" has a port; set it to "mail.example.org"`},
		{"not verified", unverified, host, skipped},
		{"neither verified nor the name", unverified, "other.example.org", skipped},
	} {
		state, _ := connect(t, row.config, server)
		info, err := Client(&state, row.host)
		if err != nil || info.Secure != (row.reason == "") {
			t.Errorf("%s: Secure %t, %v", row.name, info.Secure, err)
		}
		if got := info.InsecureReason; got == nil && row.reason != "" || got != nil && got.Error() != row.reason {
			t.Errorf("%s: %v", row.name, got)
		}
	}
}

func TestNamesOfCertificates(t *testing.T) {
	for want, leaf := range map[string]x509.Certificate{
		"no name":               {},
		"a.example, 192.0.2.1":  {DNSNames: []string{"a.example"}, IPAddresses: []net.IP{net.IPv4(192, 0, 2, 1)}},
		"a, b, c, d, e, others": {DNSNames: []string{"a", "b", "c", "d", "e", "f", "g"}},
	} {
		if got := names(&leaf); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
