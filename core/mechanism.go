package sasl

import (
	"context"
	"strings"
)

// Mechanism is a client's mechanism together with its credentials. It is
// immutable and safe for concurrent use.
//
// A mechanism of another module takes part in the same way as those of this
// package. It should declare its [Properties]; sasltest.TestMechanism tests it.
type Mechanism interface {
	Name() string // as registered with IANA; RFC 4422 s3.1 has the syntax
	New(Terms) Exchange
}

// ServerMechanism is a server's mechanism together with its store of
// credentials. It is immutable and safe for concurrent use. A name that ends
// in -PLUS is offered only if there is something to bind to.
type ServerMechanism interface {
	Name() string
	New(ServerTerms) Exchange
}

// Properties is what a Mechanism or a ServerMechanism declares about itself. A
// mechanism declares it with the method
//
//	Properties() sasl.Properties
//
// The zero value, which is also that of a mechanism without the method, is the
// careful one.
type Properties struct {
	// SingleMessage: the client says everything in one message, and the server
	// proves nothing.
	SingleMessage bool
	// Repeatable: the client's first message may be sent a second time on the
	// same connection, if the server has not read it.
	Repeatable bool
	// KeepsSecret: a server that receives the messages cannot use them to log in
	// elsewhere. PLAIN does not keep the secret; SCRAM does. A mechanism that has
	// no secret keeps it.
	KeepsSecret bool
	// UsesPassword: the user logs in with a password.
	UsesPassword bool
	// ProvesServer: the server proves that it knows the secret, or proves its
	// identity, before the exchange is done.
	ProvesServer bool
	// Anonymous: the client has no identity.
	Anonymous bool
	// SendsGS2Flag: the first message has the gs2-cbind-flag of RFC 5801 s4, also
	// in a mechanism that does not bind.
	SendsGS2Flag bool
	// ConfirmsLists: the server confirms its lists of mechanisms and channel
	// bindings in the exchange if it can (XEP-0474), and the client then compares
	// them. If Terms.ListHashRequired is set, the exchange fails without that.
	ConfirmsLists bool
	// Binds says when the mechanism binds to the channel.
	Binds Binds
	// SafeWithoutTLS: the mechanism authenticates the server by itself and
	// negotiates a confidential security layer, or fails. SecureOnly allows it on
	// a connection that is not Secure.
	SafeWithoutTLS bool
	// NeedsKey: a server needs Server.Key for it.
	NeedsKey bool
	// Unavailable is why the mechanism cannot be used in this process, for
	// example because FIPS 140 forbids its hash; nil = it can.
	Unavailable error
}

// Binds says when a mechanism binds to the channel (RFC 5056).
type Binds uint8

const (
	// BindsByName: the mechanism binds if its name ends in -PLUS (RFC 5801 s4).
	// It is used only with a binding then, and the exchange confirms the binding.
	BindsByName Binds = iota
	// BindsAlways: the mechanism binds if there is something to bind to, whatever
	// its name is. The server may ignore the binding.
	BindsAlways
	// BindsNever: the mechanism never binds, whatever its name is.
	BindsNever
)

// plusSuffix ends the name of a mechanism that binds by name (RFC 5801 s4).
const plusSuffix = "-PLUS"

// bindsByName reports whether the name of a mechanism says that it binds.
func bindsByName(name string, properties *Properties) bool {
	return properties.Binds == BindsByName && strings.HasSuffix(name, plusSuffix)
}

// propertiesOf returns what a mechanism of either side declares.
func propertiesOf(mechanism interface{ Name() string }) Properties {
	if m, ok := mechanism.(interface{ Properties() Properties }); ok {
		return m.Properties()
	}
	return Properties{}
}

// Terms are the parameters of a client's run.
type Terms struct {
	Server  ServerInfo
	Binding ChannelBinding // what to bind to; the zero value unless GS2Flag is 'p'
	GS2Flag byte           // 'n', 'y' or 'p': the gs2-cbind-flag of RFC 5801 s4
	SCRAM   SCRAMOptions
	// ListHashRequired: the lists of the Server are suspicious. Before the server
	// has confirmed them (XEP-0474), the client may send nothing that depends on
	// the password.
	ListHashRequired bool

	nonce func() string // nil = random; set by tests that replay an exchange
}

// GS2Binding returns the cb-name of a gs2-header and the channel-binding data
// that goes with it, in the form of this connection (ServerInfo.BindingName).
// Both are empty if there is nothing to bind to.
func (t *Terms) GS2Binding() (cbName string, data []byte) {
	if t.Server.BindingName != "" && t.Binding.Type != "" {
		return t.Server.BindingName, t.Binding.Prefixed()
	}
	return t.Binding.Type, t.Binding.Data
}

// ServerTerms are the parameters of a server's run.
type ServerTerms struct {
	Conn        ConnInfo
	PlusOffered bool     // this connection was offered a mechanism that binds
	Offered     []string // what the connection was offered; set if Conn.Downgrade is
	// Canonical prepares a username or an authzid; see Identity.
	Canonical func(name string) (string, error)
	// Authorize says, once the identity is proved, whether it may log in. Every
	// mechanism calls it last; its error ends the run.
	Authorize func(ctx context.Context, id Identity) error
	Key       Secret
	Stored    StoredRecords

	nonce func() string
}

// StoredRecords describes the SCRAM records of a server. A user who does not
// exist seems to have such a record too. A user whose record differs can be
// told from them.
type StoredRecords struct {
	Iterations int // 0 = 4096
	SaltSize   int // octets; 0 = 16
}

// Identity makes the names of a client's message canonical. An empty authzid
// stays empty. A name that is not UTF-8, has a NUL, is over 1 KiB or cannot be
// prepared is an ErrProtocol.
func (t *ServerTerms) Identity(username, authzid string) (id Identity, err error) {
	for _, name := range []string{username, authzid} {
		if err := checkName(name); err != nil {
			return Identity{}, protocolError("the username or the authzid %w", err)
		}
	}
	if id.Username, err = t.Canonical(username); err != nil {
		return Identity{}, protocolError("the username %w", err)
	}
	if authzid == "" {
		return id, nil
	}
	if id.Authzid, err = t.Canonical(authzid); err != nil {
		return Identity{}, protocolError("the authzid %w", err)
	}
	return id, nil
}

// Exchange is one run of one side of a mechanism. It does no I/O.
//
// Step takes the peer's next message and returns the one to send:
//   - in is nil only on the first call, when there is no message yet.
//   - out nil means no message; on a client's first call it means that the
//     server speaks first. An empty out is an empty message.
//   - done reports that after this step the peer has proved all that the
//     mechanism requires. Success that is announced before that is not believed.
//     It may become false again.
//   - out and err together mean: send out, and whatever comes back, the run has
//     failed with err.
//   - err should have a Class. An err without a Class takes the class of the
//     server's refusal, if one follows, else ErrProtocol. After an error every
//     further call returns that error.
//
// An Exchange may have further methods:
//   - SentSecrets() []Secret returns the secrets that the run has sent, or that
//     the server knows: passwords, tokens, proofs. A text of the server that
//     repeats one of them is withheld. Without the method, every text that
//     repeats a part of the client's messages is withheld.
//   - Describe(message []byte) string renders a message of either side without
//     its secrets, for the trace. Without the method, a trace shows sizes.
//   - BoundTo() string returns the channel-binding type that the run is bound
//     to; "" = none. Without the method, a client's run is bound to the type of
//     Terms.Binding, and a server's run is not bound.
//   - Hints() []Hint returns what may be behind a refusal, as far as only the
//     mechanism can know.
type Exchange interface {
	Step(ctx context.Context, in []byte) (out []byte, done bool, err error)
	// Identity is complete once done.
	Identity() Identity
}

// Identity is the user who authenticated and the identity to act as. Authzid is
// empty if it is not stated, which means the identity that goes with Username
// (RFC 4422 s3.4.1).
type Identity struct {
	Username string
	Authzid  string
}

// Bounds on what a peer may send or demand.
const (
	maxMessage = 64 << 10 // octets of a message
	maxSteps   = 16       // steps of a run
)

// validName reports whether RFC 4422 s3.1 allows a mechanism's name.
func validName(name string) bool {
	if len(name) < 1 || len(name) > 20 {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
