package saslimap

import (
	"context"
	"net"

	"github.com/saslkit/saslkit/channelbinding/transport"
)

// services are the SRV records of IMAP (RFC 6186 s3.2).
var services = transport.Services{Direct: "imaps", StartTLS: "imap", Below: true}

// DialDomain connects to an IMAP server of a domain, which is in ASCII and has no port.
// The SRV records _imaps and _imap of the domain have the servers, with implicit
// TLS and with STARTTLS (RFC 6186 s3.2). DialDomain tries up to eight in their
// order, and of the same priority first those with implicit TLS. A domain without
// records is a transport.ErrNoServer, because no RFC says which host to use then.
//
// The certificate is valid for the domain, or for the name of a server below the
// domain (RFC 6186 s6). If it is for the name of another server, the DNS answer may
// be forged: AcceptHost decides, and without its consent the error is an ErrSecurity
// with a *transport.HostError. ServerInfo has the name that was verified.
//
// Nil options are the zero value. Errors are ErrConfig for an invalid domain and for
// the option Address, ErrConnection for a failed lookup, and those of DialTLS and
// DialStartTLS: the first ErrSecurity, or else that of the last server.
func DialDomain(ctx context.Context, domain string, options *Options) (*Conn, error) {
	return transport.DialDomain(ctx, options.dialer(), domain, services, func(ctx context.Context, name string, target transport.Target) (*Conn, error) {
		var with Options
		if options != nil {
			with = *options
		}
		with.Address = target.Address()
		address := net.JoinHostPort(name, target.Port)
		if target.Direct {
			return DialTLS(ctx, address, &with)
		}
		return DialStartTLS(ctx, address, &with)
	})
}
