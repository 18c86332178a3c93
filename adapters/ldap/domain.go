package saslldap

import (
	"context"
	"net"

	"github.com/saslkit/saslkit/channelbinding/transport"
)

// services are the SRV records of LDAP. A domain without records is its own server
// (RFC 2782).
var services = transport.Services{Direct: "ldaps", StartTLS: "ldap", Fallback: ports["ldap"]}

// DialDomain connects to an LDAP server of a domain, which is in ASCII and has no
// port. The SRV records _ldap and _ldaps of the domain have the servers (RFC 2782),
// with StartTLS and with TLS from the first octet. DialDomain tries up to eight in
// their order, and of the same priority first those with TLS from the first octet. A
// domain without records is its own server, at port 389.
//
// The certificate is valid for the domain. If it is for the name of the server, also
// of one below the domain, the DNS answer may be forged, and RFC 4513 s3.1.3 admits
// only a name that the user or the administrator knows to be right: AcceptHost
// decides, and without its consent the error is an ErrSecurity with a
// *transport.HostError. ServerInfo has the name that was verified. Kerberos makes the
// service principal of it, and Active Directory has principals of its hosts only: with
// NoStartTLS there is no certificate, so the name is that of the server if AcceptHost
// accepts it, and else the domain.
//
// A nil *Options is the zero value. Errors are ErrConfig for an invalid domain and
// for the option Address, ErrConnection for a failed lookup and, with
// transport.ErrNoServer, for a domain that says that it has no server, and those of
// DialURL: the first ErrSecurity, or else that of the last server.
func DialDomain(ctx context.Context, domain string, options *Options) (*Client, error) {
	return transport.DialDomain(ctx, options.dialer(), domain, services, func(ctx context.Context, name string, target transport.Target) (*Client, error) {
		var with Options
		if options != nil {
			with = *options
		}
		with.Address = target.Address()
		scheme := "ldap"
		switch {
		case target.Direct:
			scheme = "ldaps"
		case with.NoStartTLS && with.AcceptHost != nil && with.AcceptHost(ctx, domain, target.Host):
			name = target.Host
		}
		return DialURL(ctx, scheme+"://"+net.JoinHostPort(name, target.Port), &with)
	})
}
