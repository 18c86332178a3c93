package saslxmpp_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"strings"
	"testing"

	"mellium.im/xmpp/jid"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	sasl "github.com/saslkit/saslkit/core"
)

// Names as OpenSSL writes them for otherName:1.3.6.1.5.5.7.8.5;UTF8:…, the same
// of another type (1.3.6.1.4.1.311.20.2.3), and DNS:example.org.
const (
	nameJuliet = "oB0GCCsGAQUFBwgFoBEMD2p1bGlldEBpbS5sb2NhbA=="
	nameNurse  = "oBwGCCsGAQUFBwgFoBAMDm51cnNlQGltLmxvY2Fs"
	nameOther  = "oB0GCisGAQQBgjcUAgOgDwwNcm9vdEBpbS5sb2NhbA=="
	nameDNS    = "ggtleGFtcGxlLm9yZw=="
	nameDomain = "oBcGCCsGAQUFBwgFoAsMCUBpbS5sb2NhbA==" // "@im.local" in place of an address
)

func certificate(t *testing.T, names ...string) *x509.Certificate {
	t.Helper()
	var sequence []asn1.RawValue
	for _, name := range names {
		der, err := base64.StdEncoding.DecodeString(name)
		if err != nil {
			t.Fatal(err)
		}
		sequence = append(sequence, asn1.RawValue{FullBytes: der})
	}
	value, err := asn1.Marshal(sequence)
	if err != nil {
		t.Fatal(err)
	}
	return &x509.Certificate{Extensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: value}}}
}

// TestCertificateAddresses reads the addresses of a certificate, and verifies the
// authzid of External (XEP-0178 s3).
func TestCertificateAddresses(t *testing.T) {
	for _, row := range []struct {
		names     []string
		addresses string
		authzid   string
	}{
		{[]string{nameJuliet}, "juliet@im.local", ""},
		{[]string{nameDNS, nameJuliet}, "juliet@im.local", ""},
		{[]string{nameJuliet, nameNurse}, "juliet@im.local nurse@im.local", "juliet@im.local"},
		{[]string{nameNurse}, "nurse@im.local", "juliet@im.local"},
		{[]string{nameDNS}, "", "juliet@im.local"},
		{[]string{nameOther, nameJuliet}, "juliet@im.local", ""},
		{[]string{"oAA="}, "", "juliet@im.local"},
		{[]string{nameDomain}, "", "juliet@im.local"},
		{[]string{nameDomain, nameJuliet}, "juliet@im.local", ""},
		{nil, "", "juliet@im.local"},
	} {
		c := certificate(t, row.names...)
		var got []string
		for _, address := range saslxmpp.CertificateAddresses(c) {
			got = append(got, address.String())
		}
		if strings.Join(got, " ") != row.addresses {
			t.Errorf("%q: %q, want %q", row.names, got, row.addresses)
		}
		exchange := saslxmpp.External(c, jid.MustParse("juliet@im.local/balcony")).New(sasl.Terms{})
		if authzid, _, err := exchange.Step(t.Context(), nil); err != nil || string(authzid) != row.authzid {
			t.Errorf("%q: the authzid is %q, %v, want %q", row.names, authzid, err, row.authzid)
		}
	}
	broken := &x509.Certificate{Extensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: []byte{0x30, 0x80}}}}
	if got := saslxmpp.CertificateAddresses(broken); got != nil {
		t.Errorf("broken: %v", got)
	}
}

// TestOtherExtensions: the names of the issuer are not the client's, and an extension
// with data behind it has no names.
func TestOtherExtensions(t *testing.T) {
	issuer := certificate(t, nameJuliet)
	issuer.Extensions[0].Id = asn1.ObjectIdentifier{2, 5, 29, 18}
	trailing := certificate(t, nameJuliet)
	trailing.Extensions[0].Value = append(trailing.Extensions[0].Value, 5, 0)
	for name, c := range map[string]*x509.Certificate{"issuerAltName": issuer, "trailing data": trailing} {
		if got := saslxmpp.CertificateAddresses(c); got != nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}
