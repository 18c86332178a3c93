package sasl

// ChannelBinding is a channel-binding type and its data for one connection
// (RFC 5056).
type ChannelBinding struct {
	Type string // the name that is registered with IANA, for example tls-exporter
	Data []byte // the raw data, without the type in front of it
}

// Prefixed returns the form of RFC 5056 s2.1: the type, a colon and the data.
func (b ChannelBinding) Prefixed() []byte {
	return append([]byte(b.Type+":"), b.Data...)
}

// ServerInfo is what a client knows about the server and the connection.
// Unless Secure is set, an attacker may have written all of it.
type ServerInfo struct {
	Service string // the GSSAPI service name of the profile: imap, smtp, xmpp, ldap
	Host    string // the name that the server has to prove
	Port    int    // 0 = unknown

	// Mechanisms is the server's list in the profile in use, in the server's
	// order. Names are verbatim if the protocol distinguishes case, and in upper
	// case if it does not. RFC 4422 s3.1 forbids some names; a Client never uses
	// them.
	Mechanisms []string

	// Secure reports that the peer proved to be Host and the transport is
	// confidential, or that the transport is a Unix socket, or that the caller
	// asserts as much.
	Secure bool
	// InsecureReason says why Secure is not set, for the text of an error: no TLS,
	// or a certificate for another name. Nil = not known. If Secure is set, the
	// reason has no effect.
	InsecureReason error
	TLSVersion     uint16 // as in crypto/tls; 0 = none or unknown

	// Bindings is what this connection can bind to, best first.
	Bindings []ChannelBinding
	// AdvertisedBindings is the server's list of channel-binding types
	// (XEP-0440). Nil = the server has no such list, empty = the list is empty.
	AdvertisedBindings []string
	// ProfileBinding is the type that mechanisms bind to in this profile if they
	// bind whatever their name is (BindsAlways), as GSSAPI does. "" = nothing:
	// such a mechanism then binds only if BindingTypes of the Client names a type
	// or RequireBinding demands a binding.
	ProfileBinding string
	// EnforcesBinding is the caller's assertion that this server refuses a login
	// with a wrong channel binding or without one. RequireBinding then accepts a
	// binding that nothing confirms.
	EnforcesBinding bool
	// BindingName is the cb-name of a gs2-header (RFC 5801 s4) on this
	// connection, if the server has one name for every type; the data is then in
	// the form of Prefixed. "" = the name of the type, and raw data. OpenLDAP
	// needs "ldap".
	BindingName string

	// Downgrade reports that the profile defines XEP-0474 and XEP-0515. SCRAM
	// then compares Mechanisms and AdvertisedBindings, as they were received, and
	// TLSVersion with what the server confirms.
	Downgrade bool
	// SuccessData reports that the protocol carries additional data with success
	// (XMPP and LDAP do, IMAP and SMTP do not).
	SuccessData bool
}

// ConnInfo is what a server knows about a connection.
type ConnInfo struct {
	Service string // as in ServerInfo
	Host    string
	// Secure reports that the transport is confidential: TLS or a Unix socket.
	Secure     bool
	TLSVersion uint16           // as in crypto/tls; 0 = none
	Bindings   []ChannelBinding // what the connection can bind to
	// Downgrade reports that the profile defines XEP-0474 and XEP-0515, and that
	// the client received the lists of mechanisms (Offer) and, unless it is
	// empty, of the types of Bindings (XEP-0440). SCRAM confirms both lists.
	Downgrade bool
	// Peer is what the layer below proved about the client, such as an
	// *x509.Certificate; nil = nothing. Only EXTERNAL's callback reads it.
	Peer any
}
