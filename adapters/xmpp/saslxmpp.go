// Package saslxmpp authenticates XMPP streams (RFC 6120) with any mechanism of
// package sasl, in place of the SASL of mellium.im/xmpp:
//
//	login := &saslxmpp.Login{Client: auth}
//	session, outcome, err := login.Dial(ctx, jid.MustParse("alice@example.org"))
//
// The session is an ordinary *xmpp.Session. The login uses SASL2 (XEP-0388) if the
// server has it, else SASL as in RFC 6120 s6. A session without authentication is
// an error.
//
// After the login session.Serve handles the stream; session.Conn().Close ends the
// session. Sessions that are made in another way use [Login.Negotiator] or, in a
// list of features, [Login.Features]. [Domain] is the server's side.
package saslxmpp

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"mellium.im/xmpp/jid"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// Namespaces of the protocols.
const (
	nsSASL      = "urn:ietf:params:xml:ns:xmpp-sasl" // RFC 6120 s6
	nsSASL2     = "urn:xmpp:sasl:2"                  // XEP-0388
	nsBindings  = "urn:xmpp:sasl-cb:0"               // XEP-0440
	nsBind2     = "urn:xmpp:bind:0"                  // XEP-0386
	nsBind      = "urn:ietf:params:xml:ns:xmpp-bind"
	nsFAST      = "urn:xmpp:fast:0" // XEP-0484
	nsStartTLS  = "urn:ietf:params:xml:ns:xmpp-tls"
	nsStream    = "http://etherx.jabber.org/streams"
	serviceName = "xmpp"
)

// Login is the configuration of a client's logins. It is safe for concurrent use.
//
// The name that is verified is the domain of the address (RFC 6120 s13.7.1),
// whatever name the server has. A server that is verified under the ServerName of
// the TLSConfig instead does not count as verified, unless Secure is set. Secure
// does not replace TLS, which NewSession needs unless TLS is NoTLS.
type Login struct {
	// Client has the mechanisms, the policy and the tokens. Tokens (XEP-0484) need a
	// UserAgent with an ID; without it a login with SASL2 is an ErrConfig. A
	// sasl.BearerToken has the bare address as its Username or its Authzid: servers
	// refuse another name beside a bearer token (RFC 6120 s6.3.8).
	Client *sasl.Client
	// TLSConfig is for the TLS handshake; nil = an empty one. An empty ServerName
	// becomes the domain, which is the name that is verified.
	TLSConfig *tls.Config
	// DialContext makes the connection, for example through a SOCKS proxy. Nil = a
	// net.Dialer does.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
	// Address is where the connection goes, host:port, if not to the domain that is
	// dialled, which stays the name that is verified. "" = to that domain.
	Address string
	// Resolver finds the servers of a domain by their SRV records and, without a
	// DialContext, the addresses of hosts. Nil = net.DefaultResolver.
	Resolver *net.Resolver
	// Found is called with each server of a domain before it is tried. Nil = no call.
	Found func(transport.Target)
	// TLS says how TLS starts.
	TLS TLSStart
	// Secure asserts that the connection is confidential and its peer the domain,
	// although crypto/tls did not verify it: for pinned certificates and DANE.
	Secure bool
	// EnforcesBinding asserts that the server refuses a login with a wrong channel
	// binding or without one; see sasl.ServerInfo.
	EnforcesBinding bool
	// StepTimeout bounds each step. 0 = 30 s each for the dial and the handshake, 5
	// minutes each for the greeting and every answer; negative = no timeout.
	StepTimeout time.Duration
	// Observe is called with the octets that the client sends and receives, without
	// TLS around them: for a log of the protocol. They contain the secrets of a login.
	// Nil = no call. Only Dial and NewSession observe a connection.
	Observe func(sent bool, octets []byte)
	// Offered is called before anything of the login is sent, with the facts about
	// the connection and the server's list in the profile that is used. Nil = no
	// call.
	Offered func(sasl.ServerInfo)
	// UserAgent is sent to servers with SASL2.
	UserAgent UserAgent
	// BindTag, if not empty, binds a resource together with the authentication
	// (XEP-0386) if the server supports that, which saves a round trip. The server
	// makes the resource's name of the tag. Such a session is ready at once, and
	// features that the server offers later are not negotiated. Features ignores
	// BindTag.
	BindTag string
	// Inline lists further features to negotiate together with the authentication.
	Inline []Inline
}

// TLSStart is how TLS starts on a connection.
type TLSStart int

const (
	// AnyTLS takes servers with TLS from the first octet (XEP-0368) and servers with
	// STARTTLS (RFC 6120 s5), in the order of the domain's records. On Login.Address
	// and on a connection without TLS it uses STARTTLS.
	AnyTLS TLSStart = iota
	// DirectTLS takes servers with TLS from the first octet only, also at
	// Login.Address.
	DirectTLS
	// StartTLS takes servers with STARTTLS only.
	StartTLS
	// NoTLS takes the same servers, and does not use STARTTLS. The policy of the
	// sasl.Client keeps passwords off such a connection.
	NoTLS
)

// UserAgent describes the client (XEP-0388 s2.4). Every field may be empty.
type UserAgent struct {
	ID       string // a UUID of version 4, the same for all logins of an installation
	Software string // the name of the program
	Device   string // the name of the device, for people
}

// Inline is a feature that SASL2 negotiates together with the authentication
// (XEP-0388 s2.1). The server's answer is in Outcome.Extensions.
type Inline struct {
	// Space is the namespace under which the server offers the feature inline. If
	// the server does not, nothing is sent.
	Space string
	// Request is the element to send, in any form that encoding/xml marshals. An
	// error of encoding/xml ends the login with ErrConfig.
	Request any
}

// Outcome is the outcome of a login. Without a session, only Result, SASL2 and
// Tasks are valid.
type Outcome struct {
	// Result describes the login. Without a session, it describes the failed login,
	// and does not mean that the client has authenticated.
	sasl.Result
	// SASL2 reports whether the login used SASL2.
	SASL2 bool
	// Address is, with SASL2, the address that the server assigned; the session has
	// it too. Without SASL2 it is zero, and only the session has an address.
	Address jid.JID
	// Extensions are, with SASL2, the elements that came with success, except tokens.
	Extensions []Element
	// Tasks are the further tasks that the server demands (XEP-0388 s2.6.3). This
	// package has none, so the login has failed with a *TasksError. Extensions and
	// Tasks that repeat a secret are missing.
	Tasks []string
}
