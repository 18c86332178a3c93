package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
)

// HostError is the error of a server whose certificate is for its own name and not
// for the domain. Only the DNS says that this server serves the domain, and the
// answer may be forged (RFC 6186 s6). Get it with errors.As.
type HostError struct {
	Domain string // the domain that was dialled
	Host   string // the name of the server, for which the certificate is valid
}

// Error says which host to accept.
func (e *HostError) Error() string {
	return fmt.Sprintf("%v: the certificate is for %s and not for %s, and the DNS answer that names this host may be forged: accept the host %[2]s if it is the right one",
		sasl.ErrSecurity, sasl.Printable(e.Host), sasl.Printable(e.Domain))
}

// Unwrap returns ErrSecurity.
func (e *HostError) Unwrap() error { return sasl.ErrSecurity }

// DialServers finds the servers of a domain by their SRV records (RFC 2782) and
// opens the first one that can be opened, of eight at most. Open makes the
// connection to a server. The domain is in ASCII.
//
// Errors are ErrConfig for an invalid domain; a *StepError for a failed lookup, with
// ErrNoServer for a domain without a server; else the first ErrSecurity of open, or
// its last error. An ErrConfig of open and the end of ctx stop at once.
func DialServers[C any](ctx context.Context, d Dialer, domain string, services Services, open func(context.Context, Target) (C, error)) (opened C, err error) {
	targets, err := d.targets(ctx, domain, services)
	for _, target := range targets {
		if d.Found != nil {
			d.Found(target)
		}
		conn, failed := open(ctx, target)
		if failed == nil {
			return conn, nil
		}
		if !errors.Is(err, sasl.ErrSecurity) {
			err = failed
		}
		if ctx.Err() != nil || sasl.ClassOf(failed) == sasl.ErrConfig {
			return opened, failed
		}
	}
	return opened, err
}

// DialDomain is DialServers for a protocol in which a server may have a certificate
// for its own name. Open verifies the server under the given name: the domain, or
// the name of the server. If the server's certificate is only valid for the other one,
// DialDomain calls open again.
//
// The name of the server counts if Services.Below is set and the server is below the
// domain, or if AcceptHost accepts it; else the error is a *HostError. A ServerName
// in the TLSConfig counts alone. The option Address is an ErrConfig, because the
// records have the addresses. Errors are those of DialServers.
func DialDomain[C any](ctx context.Context, d Dialer, domain string, services Services, open func(ctx context.Context, name string, target Target) (C, error)) (opened C, err error) {
	if d.Address != "" {
		return opened, fmt.Errorf("%w: the SRV records of a domain have the address: leave Address empty, or dial the host", sasl.ErrConfig)
	}
	domain = strings.TrimSuffix(domain, ".")
	return DialServers(ctx, d, domain, services, func(ctx context.Context, target Target) (C, error) {
		if target.Service == "" { // the domain itself
			return open(ctx, target.Host, target)
		}
		below := services.Below && isBelow(target.Host, domain)
		name, other := domain, target.Host
		if below {
			name, other = other, name // certificates of mail servers have the name of the host
		}
		conn, err := open(ctx, name, target)
		valid, reason := d.validFor(err, other)
		switch {
		case !valid:
			return conn, atStep(err, reason)
		case other == target.Host && (d.AcceptHost == nil || !d.AcceptHost(ctx, domain, target.Host)):
			return conn, atStep(err, &HostError{domain, target.Host})
		}
		return open(ctx, other, target)
	})
}

// isBelow reports whether a name is in a domain of the DNS.
func isBelow(name, domain string) bool {
	return strings.HasSuffix(strings.ToLower(name), "."+strings.ToLower(domain))
}

// validFor reports whether a handshake failed only because the certificate has the
// name instead of the one that was verified. Crypto/tls compares the names before it
// verifies the chain. If that fails, the reason is its error, and else err.
func (d Dialer) validFor(err error, name string) (valid bool, reason error) {
	var failed *tls.CertificateVerificationError
	if !errors.As(err, new(x509.HostnameError)) || !errors.As(err, &failed) || d.Host("") != "" {
		return false, err
	}
	if len(failed.UnverifiedCertificates) == 0 { // an error of a callback
		return false, err
	}
	leaf := failed.UnverifiedCertificates[0]
	if leaf.VerifyHostname(name) != nil {
		return false, err
	}
	options := x509.VerifyOptions{Intermediates: x509.NewCertPool()}
	if config := d.TLSConfig; config != nil {
		options.Roots = config.RootCAs
		if config.Time != nil {
			options.CurrentTime = config.Time()
		}
	}
	for _, certificate := range failed.UnverifiedCertificates[1:] {
		options.Intermediates.AddCert(certificate)
	}
	if _, err := leaf.Verify(options); err != nil {
		return false, HandshakeError(&tls.CertificateVerificationError{UnverifiedCertificates: failed.UnverifiedCertificates, Err: err})
	}
	return true, nil
}

// atStep puts another reason into the step that failed.
func atStep(err, reason error) error {
	var step *StepError
	if !errors.As(err, &step) || errors.Is(reason, err) {
		return reason
	}
	return &StepError{step.Step, step.Address, reason}
}
