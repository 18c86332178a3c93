package sasl

import "strings"

// Properties holds the properties of a Mechanism or a ServerMechanism. A mechanism
// declares its properties with the method
//
//	Properties() sasl.Properties
//
// The zero value is the careful value. The zero value also applies to a mechanism
// without this method.
type Properties struct {
	// SingleMessage: the client sends everything in one message, and the server
	// proves nothing.
	SingleMessage bool
	// Repeatable: the client's first message may be sent a second time on the
	// same connection, if the server has not read it.
	Repeatable bool
	// KeepsSecret: a server that receives the messages cannot use the messages to
	// log in elsewhere. PLAIN does not keep the secret; SCRAM does. Set KeepsSecret
	// also for a mechanism without a secret.
	KeepsSecret bool
	// UsesPassword: the user logs in with a password.
	UsesPassword bool
	// ProvesServer: before the exchange is done, the server proves its identity, or
	// proves that the server knows the secret.
	ProvesServer bool
	// Anonymous: the client has no identity.
	Anonymous bool
	// SendsGS2Flag: the first message has the gs2-cbind-flag of RFC 5801 s4, also
	// in a mechanism that does not bind.
	SendsGS2Flag bool
	// ConfirmsLists: a server that supports XEP-0474 confirms its lists of
	// mechanisms and channel bindings in the exchange, and the client compares the
	// lists with its own. If Terms.ListHashRequired is set, the exchange fails
	// without this confirmation.
	ConfirmsLists bool
	// Binds states when the mechanism binds to the channel.
	Binds Binds
	// Layers: the mechanism can negotiate a security layer (RFC 4422 s3.7), and obeys
	// Terms.Layer.
	Layers bool
	// SafeWithoutTLS: the mechanism authenticates the server by itself and, if
	// Terms.Layer is ConfidentialityLayer, negotiates a confidential security layer
	// or fails. SecureOnly allows such a mechanism on a connection that is not
	// Secure if the run demands that layer. Needs ProvesServer and Layers.
	SafeWithoutTLS bool
	// NeedsKey: a server needs Server.Key for the mechanism.
	NeedsKey bool
	// Unavailable is the reason why this process cannot use the mechanism, for
	// example because FIPS 140 forbids its hash; nil = the mechanism is available. At
	// a server, a reason of class ErrConfig is a fault that Server.Validate reports.
	Unavailable error
}

// Binds states when a mechanism binds to the channel (RFC 5056).
type Binds uint8

const (
	// BindsByName: the mechanism binds if its name ends in -PLUS (RFC 5801 s4).
	// A Client uses a -PLUS mechanism only with a binding, and the exchange confirms
	// the binding.
	BindsByName Binds = iota
	// BindsAlways: the mechanism binds if the connection has a channel binding,
	// regardless of the mechanism's name. The server may ignore the binding.
	BindsAlways
	// BindsNever: the mechanism never binds, regardless of its name.
	BindsNever
)

// plusSuffix ends the name of a mechanism that binds by name (RFC 5801 s4).
const plusSuffix = "-PLUS"

// bindsByName reports whether a mechanism binds because its name ends in -PLUS.
func bindsByName(name string, properties *Properties) bool {
	return properties.Binds == BindsByName && strings.HasSuffix(name, plusSuffix)
}

// propertiesOf returns the declared properties of a mechanism of either side.
func propertiesOf(mechanism interface{ Name() string }) Properties {
	if m, ok := mechanism.(interface{ Properties() Properties }); ok {
		return m.Properties()
	}
	return Properties{}
}

// errNoCallback is the reason why a mechanism without its callback is Unavailable.
var errNoCallback = configError("the function that the mechanism calls is nil: pass a function")

// withCallback returns the properties of a server's mechanism, which is Unavailable
// if its callback is nil.
func (p Properties) withCallback(present bool) Properties {
	if !present {
		p.Unavailable = errNoCallback
	}
	return p
}
