package saslxmpp

import "github.com/saslkit/saslkit/channelbinding/transport"

// services returns the SRV records that the option TLS admits (RFC 6120 s3.2.1,
// XEP-0368). A domain without records is its own server (RFC 6120 s3.2.2).
func (l *Login) services() transport.Services {
	switch l.TLS {
	case AnyTLS:
		return transport.Services{Direct: "xmpps-client", StartTLS: "xmpp-client", Fallback: "5222", Mixed: true}
	case DirectTLS:
		return transport.Services{Direct: "xmpps-client", Fallback: "5223"}
	}
	return transport.Services{StartTLS: "xmpp-client", Fallback: "5222"}
}
