// Package sasl implements the Simple Authentication and Security Layer of
// RFC 4422, client and server: PLAIN, ANONYMOUS, EXTERNAL and SCRAM with six
// hashes, each with channel binding, and HT-SHA-256 with the tokens of XEP-0484.
//
// Most people want one of the adapters, which authenticate the connection of
// a mail, chat or directory library in one call, and from here only
//
//	auth := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(sasl.Password("alice", "secret"))}
//
// The package knows no protocol and does no I/O. A protocol joins by
// implementing [Interface]; [Client.Authenticate] runs the exchange over it,
// decides which mechanism and which channel binding to use, and returns a nil
// error only after the server has proved everything the mechanism demands.
//
// # Errors
//
// Every error has a [Class] that says what the caller can do about it. What a
// server said in refusing is in a [*Failure]. No error, trace event or
// formatted value contains a password, key or proof.
//
// # Secrets
//
// A [Secret] does not show its bytes when it is formatted, also inside other
// values. Memory is not wiped: the garbage collector may have copied it long
// before.
//
// # FIPS 140
//
// Under GODEBUG=fips140=only, SCRAM-SHA-1 is no candidate and a server's salt
// of less than 16 octets is refused. A key derivation under way then ends by
// itself in the background when its context does.
package sasl

import "context"

// Interface is what a protocol does for a Client: it frames messages, one at
// a time, and decides nothing. It is used by one goroutine, but for Close.
//
// A refusal by the server is a *Failure, without a Class: the exchange is over
// and the connection in sync. After any other error of class ErrProtocol the
// Client calls Abort if the run still needs an end; after every other error
// it calls Close.
type Interface interface {
	// Initiate starts the exchange. A nil initial response is none, an empty
	// one is empty, and the two differ on the wire (RFC 4422 s5, item 2a). A
	// protocol that cannot carry an initial response sends it in answer to the
	// server's first, empty challenge; if that is not empty, it sends nothing
	// and returns an ErrProtocol.
	Initiate(ctx context.Context, mechanism string, initial []byte) (Reply, error)
	// Respond sends a response, which is never nil, and returns the answer.
	Respond(ctx context.Context, response []byte) (Reply, error)
	// Abort cancels the exchange (RFC 4422 s3.5). It returns nil when the
	// server has acknowledged and the connection is in sync; an error if the
	// exchange cannot be ended so, after which the Client calls Close.
	Abort(ctx context.Context) error
	// Close closes the connection. It may be called while another method is
	// under way, which must then return, and more than once.
	Close() error
}

// Reply is the server's answer to a message.
type Reply struct {
	// Data is the challenge or, if Done, the additional data that came with
	// success. Nil means absent, which is not empty (RFC 4422 s3.6).
	Data []byte
	// Done says that the server announced success.
	Done bool
	// Token is the token that came with success (XEP-0484 s3.3); nil = none.
	// Whether it is kept is decided by the Client.
	Token *IssuedToken
}

// Mechanism is a client's mechanism together with its credentials. It is
// immutable and safe for concurrent use.
//
// A name that ends in -PLUS binds to the channel (RFC 5801 s4): it is used
// only with a binding, which Terms then holds.
type Mechanism interface {
	Name() string // as registered with IANA; RFC 4422 s3.1 has the syntax
	New(Terms) Exchange
}

// Terms is what a Mechanism learns about the run it starts.
type Terms struct {
	Server  ServerInfo
	Binding ChannelBinding // what to bind to; the zero value unless GS2Flag is 'p'
	GS2Flag byte           // 'n', 'y' or 'p': the gs2-cbind-flag of RFC 5801 s4
	SCRAM   SCRAMOptions
	// ListHashRequired says that the lists of the Server are suspicious, so that
	// nothing that depends on the password may be sent before the server has
	// confirmed them (XEP-0474).
	ListHashRequired bool

	nonce func() string // nil = random; set by tests that replay an exchange
}

// Exchange is one run of one side of a mechanism. It does no I/O.
//
// Step is given the peer's next message and returns the one to send:
//   - in is nil only on the first call, when there is no message yet.
//   - out nil means no message, which on a client's first call says that the
//     server speaks first; empty is an empty message.
//   - done tells that by now the peer has proved all the mechanism requires.
//     Success that is announced before that is not believed. It may become
//     false again.
//   - out and err together mean: send out, and whatever comes back the run
//     has failed with err.
//   - err has a Class. After an error every further call returns that error.
//
// An Exchange that also has a method Describe(message []byte) string, which
// renders a message of either side without its secrets, is shown so in a
// trace; without it a trace shows only the sizes.
type Exchange interface {
	Step(ctx context.Context, in []byte) (out []byte, done bool, err error)
	// Identity is complete once done.
	Identity() Identity
}

// Identity is who authenticated and whom they act as. Authzid is empty if it
// is not stated, which means the identity that goes with Username
// (RFC 4422 s3.4.1).
type Identity struct {
	Username string
	Authzid  string
}

// ChannelBinding is a channel-binding type, by its IANA name, and its data
// for one connection.
type ChannelBinding struct {
	Type string
	// Name is the cb-name of a client's gs2-header (RFC 5801 s4) where the server
	// calls the type something else; "" = Type. Servers of this package do not.
	Name string
	Data []byte
}

// cbName is the type as the gs2-header has it.
func (b ChannelBinding) cbName() string {
	if b.Name != "" {
		return b.Name
	}
	return b.Type
}

// ServerInfo is what a client knows about the server and the connection.
// Unless Secure, an attacker may have written all of it.
type ServerInfo struct {
	Service string // the GSSAPI service name of the profile: imap, smtp, xmpp, ldap
	Host    string
	Port    int // 0 = unknown

	// Mechanisms is what the server offers in the profile in use, in its order:
	// verbatim where the protocol distinguishes case, in upper case where it
	// does not. Names that RFC 4422 s3.1 does not allow are ignored.
	Mechanisms []string

	// Secure says that the peer proved to be Host and the transport is
	// confidential, or is a Unix socket, or that the caller asserts as much.
	Secure     bool
	TLSVersion uint16 // as in crypto/tls; 0 = none or unknown

	// Bindings is what this connection can bind to, best first.
	Bindings []ChannelBinding
	// AdvertisedBindings is what the server says it can bind to (XEP-0440);
	// nil = it does not say, empty = nothing.
	AdvertisedBindings []string

	// Downgrade says that the profile defines XEP-0474 and XEP-0515, so that
	// SCRAM holds the server to its lists, Mechanisms and AdvertisedBindings as
	// they were received, and to TLSVersion.
	Downgrade bool
	// SuccessData says that the protocol carries additional data with success
	// (XMPP and LDAP do, IMAP and SMTP do not).
	SuccessData bool
	// TokenMechanisms is what the server offers to those who hold a token, where
	// the profile lists that apart (XEP-0484 s3.1), verbatim. It is no part of
	// Mechanisms, nor of what the server confirms.
	TokenMechanisms []string
}

// Bounds on what a peer may send or demand.
const (
	maxMessage = 64 << 10 // octets a message
	maxSteps   = 16       // steps a run
)

// validName tells whether RFC 4422 s3.1 allows a mechanism's name.
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
