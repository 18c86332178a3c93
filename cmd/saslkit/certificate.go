package main

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/saslkit/saslkit/channelbinding"
	sasl "github.com/saslkit/saslkit/core"
)

// certificate describes the certificate of a server. The exported fields are those of
// --json.
type certificate struct {
	Subject   string    `json:"subject"`
	Names     []string  `json:"names"` // of the DNS, and addresses
	Issuer    string    `json:"issuer"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	SHA256    string    `json:"sha256"` // of the certificate, in hexadecimal digits
	// EndPoint is the data of tls-server-end-point in hexadecimal digits; "" = the
	// type is not defined for this certificate, or the login did not get so far.
	EndPoint string `json:"tls_server_end_point"`
}

func describeCertificate(leaf *x509.Certificate) *certificate {
	hash := sha256.Sum256(leaf.Raw)
	c := &certificate{
		Subject: sasl.Printable(leaf.Subject.String()), Issuer: sasl.Printable(leaf.Issuer.String()), Names: []string{},
		NotBefore: leaf.NotBefore.UTC(), NotAfter: leaf.NotAfter.UTC(), SHA256: hex.EncodeToString(hash[:]),
	}
	for _, name := range leaf.DNSNames {
		c.Names = append(c.Names, sasl.Printable(name))
	}
	for _, ip := range leaf.IPAddresses {
		c.Names = append(c.Names, ip.String())
	}
	return c
}

// setEndPoint stores the data of tls-server-end-point, which is the hash of the
// certificate in a channel binding.
func (c *certificate) setEndPoint(bindings []sasl.ChannelBinding) {
	for _, binding := range bindings {
		if binding.Type == channelbinding.ServerEndPoint {
			c.EndPoint = hex.EncodeToString(binding.Data)
		}
	}
}

// String returns the lines of the trace.
func (c *certificate) String() string {
	names := strings.Join(c.Names, " ")
	if names == "" {
		names = "none"
	}
	return fmt.Sprintf("certificate: subject %s, names %s, issuer %s\ncertificate: valid from %s to %s\ncertificate: SHA-256 %s",
		c.Subject, names, c.Issuer, moment(c.NotBefore), moment(c.NotAfter), c.SHA256)
}
