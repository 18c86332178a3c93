package sasl

// ChannelBinding is a channel-binding type and its data for one connection
// (RFC 5056).
type ChannelBinding struct {
	Type string // the name that is registered with IANA, for example tls-exporter
	Data []byte // the raw data, without the type as a prefix
}

// Prefixed returns the form of RFC 5056 s2.1: the type, a colon and the data.
func (b ChannelBinding) Prefixed() []byte {
	return append([]byte(b.Type+":"), b.Data...)
}

// ServerInfo describes the server and the connection, as far as a client knows
// them. Unless Secure is set, an attacker may have written every field.
type ServerInfo struct {
	Service string // the GSSAPI service name of the profile: imap, smtp, xmpp, ldap
	Host    string // the name that the server has to prove
	Port    int    // 0 = unknown

	// Mechanisms is the server's list in the profile in use, in the server's
	// order. Names are verbatim if the protocol distinguishes case. Otherwise the
	// names are in upper case. RFC 4422 s3.1 forbids some names; a Client never
	// uses a mechanism with such a name.
	Mechanisms []string

	// Secure reports that the peer proved its identity as Host and that the
	// transport is confidential. Secure is also set for a Unix socket, and for a
	// connection whose security the caller asserts.
	Secure bool
	// InsecureReason is the reason why Secure is not set, for the text of an error.
	// Nil = the reason is not known. If Secure is set, InsecureReason has no effect.
	InsecureReason error
	TLSVersion     uint16 // as in crypto/tls; 0 = none or unknown

	// Bindings are the channel bindings of this connection, best first.
	Bindings []ChannelBinding
	// AdvertisedBindings is the server's list of channel-binding types
	// (XEP-0440). Nil = the server has no such list, empty = the list is empty.
	AdvertisedBindings []string
	// ProfileBinding is the channel-binding type of this profile for mechanisms
	// that bind regardless of their names (BindsAlways), such as GSSAPI. "" = no
	// type: such a mechanism then binds only if BindingTypes of the Client names a
	// type or RequireBinding demands a binding.
	ProfileBinding string
	// EnforcesBinding is the caller's assertion that this server refuses a login
	// with a wrong channel binding or without a channel binding. RequireBinding
	// then accepts an unconfirmed binding.
	EnforcesBinding bool
	// BindingName is the cb-name of a gs2-header (RFC 5801 s4) on this
	// connection, if the server has one name for every type; the data is then in
	// the form of Prefixed. "" = the name of the type, and raw data. OpenLDAP
	// needs "ldap".
	BindingName string

	// Downgrade reports that the profile defines XEP-0474 and XEP-0515. SCRAM
	// then compares the received Mechanisms, the received AdvertisedBindings and
	// TLSVersion with the values that the server confirms.
	Downgrade bool
	// CarriesLayer reports that the adapter can put a security layer onto the
	// connection (RFC 4422 s3.7). An Interface for Authenticate is then a
	// LayerInterface. If it is not set, a mechanism must negotiate no layer.
	CarriesLayer bool
	// Layer is the security layer that the caller wants. IntegrityLayer and
	// ConfidentialityLayer exclude each mechanism without layers; without
	// CarriesLayer, they exclude every mechanism.
	Layer LayerStrength

	// SuccessData reports that the protocol carries additional data with success
	// (XMPP and LDAP do, IMAP and SMTP do not).
	SuccessData bool
	// MaxMessage is the largest message of the client that the protocol and the
	// library can carry, in octets before any encoding; 0 = no limit. A larger message
	// is an ErrConfig, and the Client does not send the message.
	MaxMessage int
}

// ConnInfo describes a connection, as far as a server knows the connection.
type ConnInfo struct {
	Service string // as in ServerInfo
	Host    string // as in ServerInfo
	// Remote is the address of the client as a net.Addr prints it, for example
	// 192.0.2.1:51234; "" = not known. A Unix socket may have no address. Behind a
	// proxy, Remote is the address that the connection reports.
	Remote string
	// Secure reports that the transport is confidential: TLS or a Unix socket.
	Secure     bool
	TLSVersion uint16           // as in crypto/tls; 0 = none
	Bindings   []ChannelBinding // the channel bindings of the connection
	// Downgrade reports that the profile defines XEP-0474 and XEP-0515, and that
	// the client received the list of mechanisms (Offer) and, unless that list is
	// empty, the list of the types of Bindings (XEP-0440). SCRAM confirms both
	// lists.
	Downgrade bool
	// Peer is the client's identity as the layer below proved it, such as an
	// *x509.Certificate; nil = the layer below proved nothing. Only EXTERNAL's
	// callback reads Peer.
	Peer any
}
