// Package saslkerberos has the mechanisms that log in with Kerberos: GSSAPI
// (RFC 4752), GSS-SPNEGO (RFC 4178) and GS2-KRB5 (RFC 5801).
//
// The mechanisms know no Kerberos themselves. They work on a [SecurityContext],
// which an [Initiator] makes. Package krb5 beside this package has Initiators for a
// credential cache, a keytab and a password:
//
//	saslkerberos.GSSAPI(krb5.Cache("", nil), nil)
//
// The server always proves its identity: it shows that it has the key of the service
// principal. If the server fails to show this, the login fails with
// sasl.ErrSecurity.
package saslkerberos

import (
	"context"
	"fmt"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
)

// Initiator starts a security context with a service. Initiator may wait, for
// example for a key distribution center, and returns if ctx ends. The error has a
// class of package sasl.
//
// Package krb5 has Initiators for Kerberos in Go. A program can supply its own, for
// example for SSPI or for a library in C.
type Initiator func(ctx context.Context, request Request) (SecurityContext, error)

// Request describes the security context to start. The context always demands
// mutual authentication, replay detection and sequencing (RFC 2743 s1.2.3).
type Request struct {
	// Service is the service principal: service "/" host, with "@" and a realm if
	// the caller states a realm. An Initiator does not look up the host in DNS.
	Service string
	// ChannelBinding is the application data of the channel binding (RFC 2743
	// s1.1.6) in the form of RFC 5056 s2.1; nil = no channel binding.
	ChannelBinding []byte
	// Integrity and Confidentiality are the flags to ask for (RFC 2743 s1.2.2).
	Integrity, Confidentiality bool
	// Prompt names the mechanism and the server, for credentials that ask a person.
	Prompt sasl.Prompt
}

// SecurityContext is the initiator's side of a security context (RFC 2743). One
// goroutine uses a SecurityContext, except that after Step has returned established,
// one goroutine may call Wrap while another goroutine calls Unwrap.
//
// The error of a token that does not verify, that is repeated or that is out of
// sequence is sasl.ErrSecurity.
type SecurityContext interface {
	// Step takes the acceptor's token and returns the next token to send. The in of
	// the first call is nil. A nil out means that there is no token to send.
	// established reports that the acceptor has proved its identity.
	Step(in []byte) (out []byte, established bool, err error)
	// Initiator returns the name of the user, in Kerberos the principal with its realm.
	Initiator() string
	// Wrap protects a message: GSS_Wrap, with confidentiality if seal is set.
	Wrap(message []byte, seal bool) ([]byte, error)
	// Unwrap verifies a token of the acceptor and returns its message: GSS_Unwrap.
	// sealed reports that the token was encrypted.
	Unwrap(token []byte) (message []byte, sealed bool, err error)
	// WrapLimit returns the largest size of a message whose token has at most size
	// octets (GSS_Wrap_size_limit); 0 = there is no such message.
	WrapLimit(size int, seal bool) int
	// MIC returns the integrity check of a message: GSS_GetMIC.
	MIC(message []byte) ([]byte, error)
	// VerifyMIC verifies the acceptor's integrity check of a message: GSS_VerifyMIC.
	VerifyMIC(message, mic []byte) error
}

// Options are the options of a mechanism. Nil and the zero value are the default.
type Options struct {
	// Authzid is the identity to act as; "" = the identity of the principal.
	Authzid string
	// ServicePrincipal is the principal of the server, for example
	// ldap/dc.example.org or ldap/dc.example.org@EXAMPLE.ORG; "" = the profile's
	// service name and ServerInfo.Host. The host is used as it is: an attacker who
	// controls DNS could otherwise choose the server.
	ServicePrincipal string
}

// servicePrincipal returns the principal of the server.
func (o *Options) servicePrincipal(server *sasl.ServerInfo) (string, error) {
	name := o.ServicePrincipal
	if name == "" {
		if server.Service == "" || server.Host == "" {
			return "", fmt.Errorf("%w: the server's name is not known: set Options.ServicePrincipal", sasl.ErrConfig)
		}
		name = server.Service + "/" + strings.ToLower(strings.TrimSuffix(server.Host, "."))
	}
	if service, host, ok := strings.Cut(name, "/"); !ok || service == "" || host == "" || strings.HasPrefix(host, "@") {
		return "", fmt.Errorf("%w: the service principal %q has not the form service/host: correct Options.ServicePrincipal", sasl.ErrConfig, sasl.Printable(name))
	}
	return name, nil
}

// maxAuthzid limits the length of an authzid, in octets.
const maxAuthzid = 1 << 10

// checkAuthzid checks the authzid by RFC 4422 s3.4.1.
func (o *Options) checkAuthzid() error {
	if len(o.Authzid) > maxAuthzid || strings.ToValidUTF8(o.Authzid, "") != o.Authzid || strings.Contains(o.Authzid, "\x00") {
		return fmt.Errorf("%w: the authzid is not UTF-8 without NUL, or is over 1 KiB: correct Options.Authzid", sasl.ErrConfig)
	}
	return nil
}
