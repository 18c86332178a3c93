package sasl

import "context"

// Mechanism is a client's mechanism together with its credentials. A Mechanism is
// immutable and safe for concurrent use.
//
// A mechanism of another module works in the same way as the mechanisms of this
// package. Such a mechanism should declare its [Properties];
// sasltest.TestMechanism tests the mechanism.
type Mechanism interface {
	Name() string       // as registered with IANA; RFC 4422 s3.1 has the syntax
	New(Terms) Exchange // starts a run
}

// ServerMechanism is a server's mechanism together with its store of credentials.
// A ServerMechanism is immutable and safe for concurrent use. A Server offers a
// mechanism whose name ends in -PLUS only if the connection has a channel binding.
type ServerMechanism interface {
	Name() string             // as of a Mechanism
	New(ServerTerms) Exchange // starts a run
}

// Terms are the parameters of a client's run.
type Terms struct {
	Server  ServerInfo     // the server and the connection
	Binding ChannelBinding // the binding to use; the zero value unless GS2Flag is 'p'
	GS2Flag byte           // 'n', 'y' or 'p': the gs2-cbind-flag of RFC 5801 s4
	SCRAM   SCRAMOptions   // the options of the Client
	// Layer is the security layer that the run has to negotiate: NoLayer, or at
	// least the strength of Layer. If the server does not agree, the exchange fails.
	// It is NoLayer unless the mechanism declares Layers.
	Layer LayerStrength
	// ListHashRequired: the lists of the Server are suspicious. Before the server
	// has confirmed the lists (XEP-0474), the client may send nothing that depends
	// on the password.
	ListHashRequired bool

	nonce func() string // nil = random; set by tests that replay an exchange
}

// GS2Binding returns the cb-name of a gs2-header and the matching channel-binding
// data, in the form of this connection (ServerInfo.BindingName). Both are empty if
// the run does not bind.
func (t *Terms) GS2Binding() (cbName string, data []byte) {
	if t.Server.BindingName != "" && t.Binding.Type != "" {
		return t.Server.BindingName, t.Binding.Prefixed()
	}
	return t.Binding.Type, t.Binding.Data
}

// ServerTerms are the parameters of a server's run.
type ServerTerms struct {
	Conn        ConnInfo // the connection
	PlusOffered bool     // the server offered this connection a -PLUS mechanism
	Offered     []string // the offered mechanisms; set if Conn.Downgrade is set
	// Canonical prepares a username or an authzid; see Identity.
	Canonical func(name string) (string, error)
	// Authorize returns nil if the proved identity may log in. Every mechanism
	// calls Authorize as its last action; an error of Authorize ends the run.
	Authorize func(ctx context.Context, id Identity) error
	Key       Secret
	Stored    StoredRecords

	nonce func() string
}

// StoredRecords describes the SCRAM records of a server. A user who does not
// exist seems to have such a record too. A client can detect that a user exists if
// the record of that user differs from this description. If a number is out of range,
// no user can log in with a record, and Server.Validate reports the number.
type StoredRecords struct {
	Iterations int // 0 = 4096; at most MaxStoredIterations
	SaltSize   int // octets; 0 = 16; at most 1024
}

// Identity makes the names of a client's message canonical. An empty authzid
// stays empty. The error is an ErrProtocol if a name is not UTF-8, has a NUL, is
// over 1 KiB or cannot be prepared.
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

// Exchange is one run of one side of a mechanism. An Exchange does no I/O.
//
// Step takes the peer's next message and returns the message to send:
//   - in is nil only on the first call, when there is no message yet.
//   - out is nil if there is no message. On a client's first call, a nil out means
//     that the server sends the first message. An empty out is an empty message.
//   - done reports that after this step the peer has proved everything that the
//     mechanism requires. A Client does not believe an earlier announcement of
//     success. A later step may return a false done again.
//   - out and err together mean: send out. The run has failed with err, regardless
//     of the answer. The exchange of a server is then called once more with the
//     client's answer, and may return an ErrProtocol about that answer.
//   - err should have a Class. An err without a Class takes the class of the
//     refusal that follows. If no refusal follows, the class is ErrProtocol. After
//     an error every further call returns that error.
//
// An Exchange may have further methods:
//   - SentSecrets() []Secret returns the secrets that the run has sent, or that
//     the server knows: passwords, tokens, proofs. The package withholds a text of
//     the server that repeats one of these secrets. Without the method, the
//     package withholds every text that repeats a part of the client's messages.
//   - Describe(message []byte) string renders a message of either side without
//     its secrets, for the trace. Without the method, a trace shows sizes.
//   - BoundTo() string returns the channel-binding type of the run; "" = not
//     bound. Without the method, a client's run is bound to the type of
//     Terms.Binding, and a server's run is not bound.
//   - Layer() Layer returns the negotiated security layer (RFC 4422 s3.7), once
//     Step has returned done; nil = no layer. Without the method, there is no layer.
//     A client's run that does not obey Terms.Layer is an ErrSecurity. A Server
//     carries no layer.
//   - Hints() []Hint returns the possible causes of a refusal that only the
//     mechanism can know.
//   - Renew(ctx context.Context) (Mechanism, error) returns the same mechanism with
//     other credentials, for example a fresh token, after the server has refused
//     this run with an ErrAuthentication. The Client then makes one more run, which
//     counts as an attempt, before the Client asks Retry. The Client calls Renew at
//     most once in an operation, and only while the connection is in sync. An error
//     says why there is no other credential; the error of the login contains it.
//     Without the method, and if both results are nil, no further run follows.
type Exchange interface {
	// Step takes the peer's message and returns the next one, by the rules above.
	Step(ctx context.Context, in []byte) (out []byte, done bool, err error)
	// Identity returns the identity, which is complete once Step has returned done.
	Identity() Identity
}

// boundTo returns the channel-binding type of a run: the declared type, or the type
// of the exchange's terms.
func boundTo(x Exchange, terms string) string {
	if bound, ok := x.(interface{ BoundTo() string }); ok {
		return bound.BoundTo()
	}
	return terms
}

// layerOf returns the security layer of an exchange that is done; nil = no layer.
func layerOf(x Exchange) Layer {
	if layered, ok := x.(interface{ Layer() Layer }); ok {
		return layered.Layer()
	}
	return nil
}

// Identity is the user who authenticated and the identity to act as. An empty
// Authzid is not stated, which means the identity of Username (RFC 4422 s3.4.1).
type Identity struct {
	Username string // as prepared
	Authzid  string // as prepared; "" = not stated
}

// Limits on the messages of a peer.
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
