// Package saslldap gives clients of github.com/go-ldap/ldap/v3 a SASL bind (RFC
// 4511 s4.2, RFC 4513 s5.2) with any mechanism of package sasl, at any time on
// their connection:
//
//	client, err := saslldap.DialURL(ctx, "ldap://ldap.example.org", nil) // with StartTLS
//	result, err := client.SASLBind(ctx, auth)
//	found, err := client.Search(request)
//
// [DialDomain] finds the server by the SRV records of a domain.
//
// An authzid has one of the forms of RFC 4513 s5.2.1.8, "dn:uid=alice,dc=example"
// or "u:alice".
//
// An *ldap.Conn that go-ldap created cannot be extended. [NewConn] and
// [NewStartTLS] take a net.Conn instead.
package saslldap

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// Options are the options for making a Client. A nil *Options is the zero value.
type Options struct {
	// TLSConfig is for the TLS handshake; nil = an empty one. An empty ServerName
	// becomes the host, which is the name that is verified.
	TLSConfig *tls.Config
	// DialContext makes the connection, for example through a SOCKS proxy. Nil = a
	// net.Dialer does.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
	// Address is where the connection goes, host:port, if not to the host that is
	// dialled, which stays the name that is verified. "" = to that host.
	Address string
	// Resolver finds the servers of a domain by their SRV records and, without a
	// DialContext, the addresses of hosts. Nil = net.DefaultResolver.
	Resolver *net.Resolver
	// AcceptHost reports whether the host may serve the domain, although its
	// certificate is only for the host. DialDomain asks it. Nil = no.
	AcceptHost func(ctx context.Context, domain, host string) bool
	// Found is called with each server of a domain before it is tried. Nil = no call.
	Found func(transport.Target)
	// Secure asserts that the connection is confidential and its peer the host,
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
	// Nil = no call.
	Observe func(sent bool, octets []byte)
	// NoStartTLS leaves a connection to an ldap URL without TLS. The policy of the
	// sasl.Client keeps passwords off that connection.
	NoStartTLS bool
	// Layer is the security layer that a bind negotiates (RFC 4422 s3.7), if the
	// mechanism has layers, as GSSAPI has. The default is a confidential layer
	// without TLS, and no layer with TLS, over a Unix socket or with Secure. If Layer
	// demands a layer, mechanisms without layers are not used. Observe gets the protected data.
	Layer sasl.LayerStrength
	// Binding is the form of channel bindings that the server expects.
	Binding BindingForm
	// Mechanisms is the list of the server's mechanisms, in upper case, for a server
	// that does not show its list: access to the root DSE may be restricted (RFC
	// 4512 s5.1). Nil = no list, and SASLBind is an ErrNoList for such a server.
	Mechanisms []string
}

// dialer returns the options that make a connection. A nil *Options has none.
func (o *Options) dialer() transport.Dialer {
	if o == nil {
		return transport.Dialer{}
	}
	return transport.Dialer{
		TLSConfig: o.TLSConfig, DialContext: o.DialContext, Address: o.Address, StepTimeout: o.StepTimeout,
		Resolver: o.Resolver, AcceptHost: o.AcceptHost, Found: o.Found,
	}
}

// BindingForm is the form of channel bindings in SCRAM that a server expects.
type BindingForm int

const (
	// AutomaticBinding is OpenLDAPBinding if the root DSE says that the server is
	// OpenLDAP, else StandardBinding.
	AutomaticBinding BindingForm = iota
	// StandardBinding is the form of RFC 5802 and RFC 9266.
	StandardBinding
	// OpenLDAPBinding calls every type "ldap" and puts the type's name in front of
	// the data. The server accepts one type, its setting sasl-cbinding, and does not
	// publish it. The client uses tls-server-end-point unless BindingTypes of the
	// sasl.Client says "tls-unique".
	OpenLDAPBinding
)

// Client is a client of the library that has a SASL bind. Code that needs an
// *ldap.Conn gets the embedded one, and the Client itself is an ldap.Client.
type Client struct {
	*ldap.Conn
	mux     *mux
	base    net.Conn // below the mux: a *tls.Conn, if there is TLS
	host    string
	options Options
	nextID  int64 // the message ID of our next request
}

var _ ldap.Client = (*Client)(nil)

// NewConn takes over a connection on which nothing has been read yet: a *tls.Conn,
// whose handshake it finishes, a Unix socket, or any other net.Conn. The host is
// the name of the peer. If NewConn fails, the connection is closed. A nil *Options
// is the zero value.
//
// Errors are a *transport.StepError: ErrSecurity for a certificate that is not
// accepted, else ErrConnection.
func NewConn(ctx context.Context, conn net.Conn, host string, options *Options) (*Client, error) {
	if options == nil {
		options = &Options{}
	}
	limit := transport.ConnectTimeout(options.StepTimeout)
	err := transport.Run(ctx, transport.TLSHandshake, limit, conn, func(ctx context.Context) error {
		return transport.FinishHandshake(ctx, conn)
	})
	if err != nil {
		transport.Close(conn)
		return nil, err
	}
	m := newMux(transport.Observe(conn, options.Observe))
	m.answerLimit = transport.AnswerTimeout(options.StepTimeout)
	// With true the library refuses its own StartTLS, which would start TLS above
	// the mux.
	c := &Client{
		Conn: ldap.NewConn(m, true),
		mux:  m, base: conn, host: host, options: *options,
		nextID: firstID,
	}
	c.Conn.Start()
	return c, nil
}

// StartTLS returns an ErrConfig. DialURL and NewStartTLS start TLS, before anything
// else is sent.
func (c *Client) StartTLS(*tls.Config) error {
	return fmt.Errorf("%w: TLS starts before the first request: use DialURL or NewStartTLS", sasl.ErrConfig)
}

// TLSConnectionState returns the state of the TLS connection; ok reports whether
// there is TLS.
func (c *Client) TLSConnectionState() (state tls.ConnectionState, ok bool) {
	conn, ok := c.base.(interface{ ConnectionState() tls.ConnectionState })
	if !ok {
		return state, false
	}
	return conn.ConnectionState(), true
}

// SASLBind authenticates with the best mechanism of auth that the server has. The
// library's requests of other goroutines wait until the login is verified; those of
// more than 4 MiB in all get an error. The bind waits for the answers to earlier
// requests, which it would abandon otherwise: results of
// SearchAsync that nobody receives delay the bind, as they delay the library. A
// persistent search on the connection is an ErrConfig, because it has no last
// answer.
//
// After a refusal another attempt may follow; the session is anonymous until an
// attempt succeeds. If ctx ends during the wait for other requests, the connection
// stays open. If ctx ends later, if an answer is later than StepTimeout, or if
// another error leaves the exchange open, the connection is closed. StepTimeout
// does not apply to the wait for other requests.
//
// If the mechanism has negotiated a security layer, every later request and answer
// goes through the layer, also those of go-ldap. The next bind replaces the layer if
// it has negotiated one itself. Otherwise the layer remains in effect (RFC 4422
// s3.8). If data of the server does not verify, the connection ends with an
// ErrSecurity.
//
// If the server lists a better mechanism after the bind than before it, somebody
// changed the first list, and the bind is an ErrSecurity. A server without a first
// list is excepted. OpenLDAP uses a channel binding only in the first successful
// SASL bind of a connection, also if that is the library's; later binds have
// nothing to bind to.
//
// Errors are those of sasl.Client.Authenticate, and before the authentication
// those of ServerInfo, and ErrNoList for a server that does not show its list. The
// *ldap.Error of a refusal has no Packet.
func (c *Client) SASLBind(ctx context.Context, auth *sasl.Client) (sasl.Result, error) {
	if err := c.mux.takeTurn(ctx); err != nil {
		return sasl.Result{}, err
	}
	defer c.mux.endTurn()
	before, err := c.rootDSE(ctx)
	if err != nil {
		return sasl.Result{}, err
	}
	info, err := c.serverInfo(before)
	if err != nil {
		return sasl.Result{}, err
	}
	info.Mechanisms = c.mux.shownNames(info.Mechanisms, auth)
	if info.Mechanisms == nil {
		return sasl.Result{}, c.noList(ctx, auth, info, before)
	}
	if err := c.mux.hold(ctx, false); err != nil {
		return sasl.Result{}, err
	}
	return auth.Authenticate(ctx, &binder{mux: c.mux, client: c, before: before}, info)
}

// noList returns the error of a bind without a list. A configuration that is wrong
// with every list comes first.
func (c *Client) noList(ctx context.Context, auth *sasl.Client, info sasl.ServerInfo, root rootDSE) error {
	_, err := auth.Begin(ctx, info)
	if !errors.Is(err, sasl.ErrPolicy) {
		return err
	}
	return &noList{root.unlisted(), err}
}

// Close closes the connection, also while the server does not read, and ends what
// waits for it.
func (c *Client) Close() error {
	err := c.mux.Close()
	c.Conn.Close()
	if errors.Is(err, net.ErrClosed) { // already
		return nil
	}
	return err
}

// SASLBind is Client.SASLBind for code that has an ldap.Client. An ldap.Client that
// is not a *Client of this package is an ErrConfig, because its connection cannot
// be extended.
func SASLBind(ctx context.Context, client ldap.Client, auth *sasl.Client) (sasl.Result, error) {
	c, ok := client.(*Client)
	if !ok {
		return sasl.Result{}, fmt.Errorf("%w: a %T cannot do a SASL bind: make the client with saslldap.DialURL, or from its net.Conn with saslldap.NewConn", sasl.ErrConfig, client)
	}
	return c.SASLBind(ctx, auth)
}
