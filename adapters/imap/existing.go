package saslimap

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/saslkit/saslkit/channelbinding"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// Existing states the facts about an *imapclient.Client made elsewhere that
// the adapter cannot see.
type Existing struct {
	// Host is the name that the server should have.
	Host string
	// TLS is the state of the connection after the handshake. Nil = not known, so
	// the connection is not Secure and has nothing to bind to.
	TLS *tls.ConnectionState
	// Secure asserts that the connection is confidential and its peer the host,
	// although crypto/tls did not verify it: for pinned certificates and DANE.
	Secure bool
	// EnforcesBinding asserts that the server refuses a login with a wrong channel
	// binding or without one; see sasl.ServerInfo.
	EnforcesBinding bool
	// EqualsSign asserts that the server accepts "=" for an empty response, which
	// the library sends for one. Without it, two things are an ErrPolicy: a
	// mechanism that may end in an empty response, such as SCRAM, and an empty first
	// message to a server without SASL-IR.
	EqualsSign bool
}

// Authenticate authenticates a client that exists already, through the library's
// one hook. Prefer NewConn, which knows the TLS state and takes every mechanism.
// These limits hold here:
//
//   - The exchange cannot be aborted, so the client is closed after any failure
//     except a refusal.
//   - The end of the context closes the client with the library's Close. Under TLS
//     this takes up to five seconds if the server reads nothing and the buffers of
//     the connection are full.
//   - The server may send no empty challenge.
//   - To a server with SASL-IR, a first message of more than 5952 octets is an ErrConfig,
//     and is not sent. The library writes the first message on the line of the command,
//     which then has more than the 8000 octets that a server should accept.
//   - The mechanism of LoginCommand is not used: the library has a method of its own
//     for the LOGIN command.
//   - SCRAM works only with the servers that Existing.EqualsSign describes.
//   - XOAUTH2 answers an error challenge with an empty response, for which the library
//     sends "=". A server that finds this line bad has refused the token before.
//   - The library does not report whether a server without SASL-IR asked for the
//     first message. If the server has nothing to prove, as with PLAIN, a success
//     that came without asking looks like one that came after the message.
//
// With TLS, or if Secure is asserted, the client first asks for the list of
// capabilities again: the library may know one from before TLS.
//
// A client that is authenticated already is an ErrSecurity, because its server may
// have greeted with PREAUTH and so claim to know the client. Other errors are those
// of sasl.Client; a refusal has the library's *imap.Error for errors.As.
func Authenticate(ctx context.Context, client *imapclient.Client, auth *sasl.Client, existing Existing) (sasl.Result, error) {
	info, err := existing.serverInfo(ctx, client)
	if err != nil {
		return sasl.Result{}, err
	}
	return auth.Drive(ctx, client, info, func(s *sasl.Session) error {
		h := &hook{session: s, equalsSign: existing.EqualsSign, inline: client.Caps().Has(imap.CapSASLIR)}
		if s.ServerMaySpeakLast() && !existing.EqualsSign {
			return h.errEquals("may end in an empty response")
		}
		err := client.Authenticate(h)
		var refused *imap.Error
		if !errors.As(err, &refused) {
			return err
		}
		refusal := failure(refused.Text, refused)
		if h.sentEquals && !existing.EqualsSign && isBad(refused) {
			refusal.Condition = sasl.NotAuthorized // "=" is bad, and the token was refused before
		}
		return refusal
	})
}

func (e Existing) serverInfo(ctx context.Context, client *imapclient.Client) (sasl.ServerInfo, error) {
	info := sasl.ServerInfo{Host: e.Host}
	if e.TLS != nil {
		var err error
		if info, err = channelbinding.Client(e.TLS, e.Host); err != nil {
			return info, err
		}
	}
	info.Service = "imap"
	info.Secure = info.Secure || e.Secure
	info.EnforcesBinding = e.EnforcesBinding
	// The calls may wait for the server, and none takes a context.
	stop := context.AfterFunc(ctx, func() { client.Close() })
	capabilities, err := e.capabilities(client)
	if !stop() || err != nil {
		return info, transport.Classify(ctx, err)
	}
	if client.State() != imap.ConnStateNotAuthenticated {
		return info, fmt.Errorf("%w: the client is authenticated already: by PREAUTH, or by an earlier call", sasl.ErrSecurity)
	}
	// A server cannot offer the command as a mechanism.
	info.Mechanisms = slices.DeleteFunc(capabilities.AuthMechanisms(), func(name string) bool { return name == LoginCommandName })
	slices.Sort(info.Mechanisms) // the library keeps no order
	return info, nil
}

// capabilities returns a list that the server sent over the connection as it is
// now.
func (e Existing) capabilities(client *imapclient.Client) (imap.CapSet, error) {
	if err := client.WaitGreeting(); err != nil {
		return nil, err
	}
	if e.TLS == nil && !e.Secure {
		return client.Caps(), nil
	}
	if client.State() != imap.ConnStateNotAuthenticated {
		return nil, nil
	}
	capabilities, err := client.Capability().Wait()
	if refused := (*imap.Error)(nil); errors.As(err, &refused) || err == nil && capabilities == nil {
		return nil, fmt.Errorf("%w: the server does not answer CAPABILITY with its capabilities", sasl.ErrProtocol)
	}
	return capabilities, err
}

// hook is a Session in the form of the library's mechanisms. It is not exported,
// because the library believes every announced success. Drive does not.
type hook struct {
	session    *sasl.Session
	equalsSign bool
	inline     bool // the initial response goes on the line of the command
	sentEquals bool // the last response was empty, for which the library sends "="
}

func (h *hook) errEquals(why string) error {
	return fmt.Errorf("%w: %s %s, for which this client sends \"=\"; use saslimap.NewConn, or set Existing.EqualsSign for a server that accepts it",
		sasl.ErrPolicy, h.session.Mechanism(), why)
}

func (h *hook) Start() (mechanism string, initial []byte, err error) {
	mechanism, initial, err = h.session.Start()
	sendable := len(initial) > 0 || h.equalsSign // on a line of its own
	switch {
	case err != nil || initial == nil:
	case !h.inline && !sendable:
		err = h.errEquals("begins with an empty response")
	case h.inline && len(initial) > maxInline:
		err = fmt.Errorf("%w: the first message of %s has %d octets, and this client sends at most %d; a Conn of saslimap has no such limit", sasl.ErrConfig, mechanism, len(initial), maxInline)
	case h.inline && sendable:
		h.session.SentInline(initial)
	}
	return mechanism, initial, err
}

func (h *hook) Next(challenge []byte) (response []byte, err error) {
	response, err = h.session.Respond(challenge)
	h.sentEquals = err == nil && len(response) == 0
	return response, err
}
