package saslxmpp

import (
	"crypto/x509"
	"encoding/asn1"

	"mellium.im/xmpp/jid"

	sasl "github.com/saslkit/saslkit/core"
)

var (
	oidSubjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidXMPPAddr       = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 5}
)

// External returns EXTERNAL for a client certificate in the form of XEP-0178 s3:
// without an authzid if the address of the login is the only address of the
// certificate, else with the bare address.
func External(certificate *x509.Certificate, address jid.JID) sasl.Mechanism {
	addresses := CertificateAddresses(certificate)
	if len(addresses) == 1 && addresses[0].Equal(address.Bare()) {
		return sasl.External("")
	}
	return sasl.External(address.Bare().String())
}

// CertificateAddresses returns the addresses of a certificate (id-on-xmppAddr, RFC
// 6120 s13.7.1.4), in their order, without the invalid ones. A server's
// sasl.ExternalServer finds the user of a certificate with it.
func CertificateAddresses(certificate *x509.Certificate) (addresses []jid.JID) {
	for _, extension := range certificate.Extensions {
		if !extension.Id.Equal(oidSubjectAltName) {
			continue
		}
		var names []asn1.RawValue
		if rest, err := asn1.Unmarshal(extension.Value, &names); err != nil || len(rest) > 0 {
			return nil
		}
		for _, name := range names {
			if address, ok := xmppAddr(name); ok {
				addresses = append(addresses, address)
			}
		}
	}
	return addresses
}

// xmppAddr returns the address in an otherName of that type.
func xmppAddr(name asn1.RawValue) (jid.JID, bool) {
	var other struct {
		Type  asn1.ObjectIdentifier
		Value string `asn1:"tag:0,explicit,utf8"`
	}
	if _, err := asn1.UnmarshalWithParams(name.FullBytes, &other, "tag:0"); err != nil || !other.Type.Equal(oidXMPPAddr) {
		return jid.JID{}, false
	}
	address, err := jid.Parse(other.Value)
	return address, err == nil
}
