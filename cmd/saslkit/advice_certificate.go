package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"
)

// certificateRemedy returns what is wrong with a certificate that was not accepted,
// with names and dates, and what the user can do.
func certificateRemedy(err error) string {
	var verification *tls.CertificateVerificationError
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	var unknown x509.UnknownAuthorityError
	errors.As(err, &verification)
	switch {
	case errors.As(err, &name):
		return fmt.Sprintf("the certificate is for %s, and not for %s; write a name of the certificate in the URL, and use --connect if the connection goes to another address", certificateNames(name.Certificate), name.Host)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && invalid.Cert != nil:
		return validityRemedy(invalid.Cert)
	case errors.As(err, &unknown) && len(verification.UnverifiedCertificates) > 0:
		leaf := verification.UnverifiedCertificates[0]
		last := verification.UnverifiedCertificates[len(verification.UnverifiedCertificates)-1]
		if leaf.Issuer.String() == leaf.Subject.String() {
			return fmt.Sprintf("the certificate of %s is its own issuer; use --ca-file with this certificate if you trust it", certificateNames(leaf))
		}
		return fmt.Sprintf("the issuer %q of the certificate of %s is unknown; use --ca-file if you trust this authority", last.Issuer, certificateNames(leaf))
	}
	return "use --ca-file if the system does not have the authority that you trust"
}

// validityRemedy is for a certificate that is not valid at this time.
func validityRemedy(certificate *x509.Certificate) string {
	now := time.Now()
	if now.Before(certificate.NotBefore) {
		return fmt.Sprintf("the certificate of %s is valid only from %s; the clock of this machine says %s",
			certificateNames(certificate), moment(certificate.NotBefore), moment(now))
	}
	return fmt.Sprintf("the certificate of %s expired on %s; the owner of the server has to renew it, unless the clock of this machine (%s) is wrong",
		certificateNames(certificate), moment(certificate.NotAfter), moment(now))
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

// certificateNames lists the names of a certificate, not more of them than a person
// reads. A certificate without a name for servers has its subject.
func certificateNames(certificate *x509.Certificate) string {
	const most = 5
	list := append([]string{}, certificate.DNSNames...)
	for _, ip := range certificate.IPAddresses {
		list = append(list, ip.String())
	}
	switch {
	case len(list) == 0:
		return fmt.Sprintf("%q", certificate.Subject)
	case len(list) > most:
		list = append(list[:most], "others")
	}
	return strings.Join(list, ", ")
}
