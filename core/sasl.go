// Package sasl implements the Simple Authentication and Security Layer of
// RFC 4422, client and server: PLAIN, ANONYMOUS, EXTERNAL and SCRAM with six
// hashes, each with channel binding, and HT-SHA-256 with the tokens of XEP-0484.
//
// Most people want one of the adapters, which authenticate the connection of
// a mail, chat or directory library in one call, and from here only
//
//	auth := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(sasl.Password("alice", "secret"))}
//
// The package knows no protocol and does no I/O. It has three kinds of readers:
//
//   - A user who logs in needs [Client] and [Credentials], and reads the errors.
//   - The author of an adapter for another protocol implements [Interface].
//     [Client.Authenticate] runs the exchange over it, decides which mechanism and
//     which channel binding to use, and returns a nil error only after the server
//     has proved everything that the mechanism demands.
//   - The author of a mechanism implements [Mechanism] or [ServerMechanism], and
//     [Exchange], and declares its [Properties].
//
// # Errors
//
// Every error has a [Class] that says what the caller can do about it. What a
// server said in refusing is in a [*Failure]. A [*LoginError] has what may be
// behind the error, and which mechanisms were not used and why. No error, trace
// event or formatted value contains a password, key or proof.
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
// a time, and decides nothing. One goroutine uses it; Close may come from another.
//
// A refusal by the server is a *Failure, without a Class: the exchange is over
// and the connection in sync. After any other error of class ErrProtocol the
// Client calls Abort if the run still needs an end; after every other error
// it calls Close.
//
// No outcome depends on how the octets of the connection are cut into reads. The
// functions of an adapter that make a connection obey their context too, also
// while they wait for a greeting: the Client watches only over what it calls.
//
// A protocol that can do more implements TokenInterface, DeferringInterface or
// RelistingInterface too.
type Interface interface {
	// Initiate starts the exchange. A nil initial response is none, an empty
	// one is empty, and the two differ on the wire (RFC 4422 s5, item 2a). A
	// protocol that cannot carry an initial response sends it in answer to the
	// server's first, empty challenge. If that challenge is not empty, the protocol
	// sends nothing and returns an ErrProtocol. If the server announces success
	// before it has the message, that is an ErrSecurity: the mechanism cannot know
	// that its message did not go out.
	Initiate(ctx context.Context, mechanism string, initial []byte) (Reply, error)
	// Respond sends a response, which is never nil, and returns the answer.
	Respond(ctx context.Context, response []byte) (Reply, error)
	// Abort cancels the exchange (RFC 4422 s3.5). It returns nil when the
	// server has acknowledged and the connection is in sync; the acknowledgement
	// is mostly a refusal, which Abort does not return. It returns an error if the
	// exchange cannot be ended so, after which the Client calls Close. The Client
	// waits two seconds for it, and calls Close then.
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
	// Done reports that the server announced success.
	Done bool
	// Inline reports, in the answer to Initiate, that the initial response went
	// out together with the mechanism's name. If the server then asks for it with
	// an empty challenge, the server has not read it, and the Client sends the
	// message of a mechanism that is Repeatable and a SingleMessage once more.
	Inline bool
}

// DeferringInterface is an Interface of a protocol in which a server may refuse a
// command because there is an initial response in it (Failure.Unread).
type DeferringInterface interface {
	Interface
	// InitiateDeferred is Initiate, but the initial response, which is not nil, goes
	// out only in answer to the server's first, empty challenge. It is called at
	// most once in a run, after Initiate has returned a *Failure that is Unread,
	// for a mechanism that is Repeatable.
	InitiateDeferred(ctx context.Context, mechanism string, initial []byte) (Reply, error)
}

// RelistingInterface is an Interface of a protocol in which a client can ask for
// the list of mechanisms again once it is authenticated (RFC 4513 s5.2.1.2).
type RelistingInterface interface {
	Interface
	// Relist returns the list after a success that is verified. If the Client would
	// have preferred one of its mechanisms to the one that was used, somebody may
	// have removed that one from the first list, and the login is an ErrSecurity.
	// An empty list says nothing. An error ends the login.
	Relist(ctx context.Context) (mechanisms []string, err error)
}
