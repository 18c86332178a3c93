// Package sasl implements the Simple Authentication and Security Layer of
// RFC 4422, client and server:
//
//   - for a password: SCRAM with six hashes, each with channel binding (RFC 5802), and
//     PLAIN (RFC 4616)
//   - for old servers and clients, only if the caller names them: LOGIN, DIGEST-MD5
//     (RFC 2831) and CRAM-MD5 (RFC 2195)
//   - for a token of OAuth 2.0: OAUTHBEARER (RFC 7628) and XOAUTH2
//   - for a token that the server issued: HT-SHA-256 (XEP-0484)
//   - for an identity that the layer below proved, or none: EXTERNAL (RFC 4422) and
//     ANONYMOUS (RFC 4505)
//
// Most programs need one of the adapters. An adapter authenticates the connection
// of a mail, chat or directory library in one call. From this package, such a
// program needs only a Client:
//
//	auth := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(sasl.Password("alice", "secret"))}
//
// The package knows no protocol and does no I/O. It has three kinds of readers:
//
//   - A user who logs in needs [Client] and [Credentials], and reads the errors.
//   - The author of an adapter for another protocol implements [Interface].
//     [Client.Authenticate] runs the exchange over that Interface, and chooses the
//     mechanism and the channel binding. Authenticate returns a nil error only
//     after the server has proved everything that the mechanism demands.
//   - The author of a mechanism implements [Mechanism] or [ServerMechanism], and
//     [Exchange], and declares its [Properties].
//
// # Errors
//
// Every error has a [Class], which says how the caller can react to the error. A
// [*Failure] holds the words of a server that refused. A [*LoginError] holds the
// possible causes of the error, and the mechanisms that were not used, each with
// the reason. No error, trace event or formatted value contains a password, key or
// proof.
//
// # Secrets
//
// A [Secret] does not show its bytes when the Secret is formatted, alone or inside
// another value. The package does not wipe memory: the garbage collector may have
// copied the bytes long before.
//
// # FIPS 140
//
// Under GODEBUG=fips140=only, SCRAM-SHA-1, DIGEST-MD5 and CRAM-MD5 are not
// candidates, and a Client refuses a server's salt of less than 16 octets. If the context of a running key
// derivation ends, the derivation then continues in the background until the key
// is complete.
package sasl

import "context"

// Interface is the part of a login that a protocol performs for a Client. An
// Interface frames messages, one at a time, and decides nothing. One goroutine
// uses an Interface, but another goroutine may call Close.
//
// A refusal by the server is a *Failure without a Class: the exchange is over,
// and the connection is in sync. After any other error of class ErrProtocol the
// Client calls Abort if the run still needs an end. After every other error the
// Client calls Close.
//
// No outcome depends on the division of the connection's octets into reads. The
// functions of an adapter that make a connection obey their context too, also
// while they wait for a greeting: the Client closes the connection only for a
// context of its own calls.
//
// A protocol with more abilities implements TokenInterface, DeferringInterface,
// RelistingInterface, LayerInterface or ScreeningInterface too.
type Interface interface {
	// Initiate starts the exchange. A nil initial response means that there is no
	// initial response, and an empty initial response is an empty message. The two
	// differ on the wire (RFC 4422 s5, item 2a). A protocol that cannot carry an
	// initial response sends the response in answer to the server's first, empty
	// challenge. If that challenge is not empty, the protocol sends nothing and
	// returns an ErrProtocol. If the server announces success before the response
	// was sent, the error is an ErrSecurity: the mechanism cannot know that its
	// message was not sent.
	Initiate(ctx context.Context, mechanism string, initial []byte) (Reply, error)
	// Respond sends a response, which is never nil, and returns the server's answer.
	Respond(ctx context.Context, response []byte) (Reply, error)
	// Abort cancels the exchange (RFC 4422 s3.5). Abort returns nil when the
	// server has acknowledged and the connection is in sync. The acknowledgement
	// is mostly a refusal, which Abort does not return. Abort returns an error if it
	// cannot end the exchange in this way, and the Client then calls Close. The
	// Client waits two seconds for Abort, and then calls Close.
	Abort(ctx context.Context) error
	// Close closes the connection. The Client may call Close more than once, and
	// while another method is running. That method must then return.
	Close() error
}

// Reply is the server's answer to a message.
type Reply struct {
	// Data is the challenge or, if Done is set, the additional data that came with
	// success. Nil Data is absent, which differs from empty (RFC 4422 s3.6).
	Data []byte
	// Done reports that the server announced success.
	Done bool
	// Inline reports, in the answer to Initiate, that the initial response was sent
	// together with the mechanism's name. If the server then asks for the response
	// with an empty challenge, the server has not read the response. The Client
	// then sends the response once more if the mechanism is Repeatable and a
	// SingleMessage.
	Inline bool
}

// DeferringInterface is an Interface of a protocol in which a server may refuse a
// command because the command contains an initial response (Failure.Unread).
type DeferringInterface interface {
	Interface
	// InitiateDeferred does the same as Initiate, but sends the initial response,
	// which is not nil, only in answer to the server's first, empty challenge. The
	// Client calls InitiateDeferred at most once in a run, after Initiate has
	// returned a *Failure that is Unread, for a mechanism that is Repeatable.
	InitiateDeferred(ctx context.Context, mechanism string, initial []byte) (Reply, error)
}

// RelistingInterface is an Interface of a protocol in which an authenticated
// client can ask for the list of mechanisms again (RFC 4513 s5.2.1.2).
type RelistingInterface interface {
	Interface
	// Relist returns the list after a verified success. The Client looks for a
	// mechanism in this list that it would have preferred to the used mechanism. An
	// attacker may have removed such a mechanism from the first list, so the login
	// is then an ErrSecurity. The Client ignores an empty list. An error ends the
	// login.
	Relist(ctx context.Context) (mechanisms []string, err error)
}

// LayerInterface is an Interface that can carry a security layer (RFC 4422 s3.7);
// see ServerInfo.CarriesLayer.
type LayerInterface interface {
	Interface
	// InstallLayer is called once after each verified success, before any other
	// method. The server's octets behind its announcement of success belong to the
	// layer, and so do the client's octets from now on. A layer replaces an earlier
	// layer of the connection. A nil layer means that the run has negotiated no
	// layer: an earlier layer then remains in effect (RFC 4422 s3.8). After an
	// announcement of success that is not verified, the Client calls Close.
	InstallLayer(layer Layer)
}

// ScreeningInterface is an Interface of a protocol in which a text of the server can
// reach a person by another way than an error of one of its methods, during the
// login or after it: an alert, a notice, an error of a library. The conn of
// Client.Drive may have the method too.
type ScreeningInterface interface {
	Interface
	// Screen is called before each message goes out. From then on the adapter shows
	// a text only if repeats returns false: else the text repeats a secret that the
	// login has sent so far. The repeats of a later call replaces that of an earlier
	// call in the same login. Any goroutine may call it, at any time.
	Screen(repeats func(text string) bool)
}
