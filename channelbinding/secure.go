package channelbinding

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
)

var (
	errNotVerified = errors.New("crypto/tls did not verify the server's certificate, because the tls.Config has InsecureSkipVerify; set RootCAs instead, or assert Secure if a callback verifies it")
	errNoHost      = errors.New("the name of the host is empty; set it to the name that the server's certificate has")
)

// insecureReason returns why a client's connection with TLS is not Secure; nil if
// it is.
func insecureReason(state *tls.ConnectionState, leaf *x509.Certificate, host string) error {
	switch {
	case len(state.VerifiedChains) == 0:
		return errNotVerified
	case host == "":
		return errNoHost
	}
	err := leaf.VerifyHostname(host)
	if err == nil {
		return nil
	}
	if name, _, splitErr := net.SplitHostPort(host); splitErr == nil && leaf.VerifyHostname(name) == nil {
		return fmt.Errorf("the host %q has a port; set it to %q", sasl.Printable(host), sasl.Printable(name))
	}
	return fmt.Errorf("the server's certificate is for %s, and not for the host %q", names(leaf), sasl.Printable(host))
}

// names lists the names of a certificate, and no more of them than a person reads.
func names(leaf *x509.Certificate) string {
	const most = 5
	list := append([]string{}, leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		list = append(list, ip.String())
	}
	switch {
	case len(list) == 0:
		return "no name"
	case len(list) > most:
		list = append(list[:most], "others")
	}
	return sasl.Printable(strings.Join(list, ", "))
}
