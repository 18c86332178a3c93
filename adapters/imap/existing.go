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

// Existing says of an *imapclient.Client that was made elsewhere what cannot
// be seen from outside.
type Existing struct {
	// Host is who the server should be.
	Host string
	// TLS is the state of the connection after the handshake; nil = not known,
	// and so not Secure.
	TLS *tls.ConnectionState
	// Secure asserts that the connection is confidential and its peer the host.
	Secure bool
	// EnforcesBinding asserts that the server refuses a login with a wrong channel
	// binding or without one; see sasl.ServerInfo.
	EnforcesBinding bool
	// EqualsSign says that the server takes "=" for an empty response, which is
	// what the library sends for one. Without it a mechanism that may end in
	// an empty response, such as SCRAM, is ErrPolicy, and so is an empty first
	// message to a server without SASL-IR.
	EqualsSign bool
}

// Authenticate authenticates a client that exists already, through the one
// hook that the library has. Prefer NewConn, which knows its TLS state and
// every mechanism: here there is no abort, so that after any failure but a
// refusal the client is closed, no mechanism in which the server sends an empty
// challenge, and SCRAM only with servers of the kind that Existing.EqualsSign
// speaks of. To a server without SASL-IR the library sends the first message when
// it is asked for, and does not report whether it was. So success that is announced
// without asking cannot be told from success after a message in which, as in
// PLAIN, the server has nothing to prove.
//
// A client that is authenticated already is ErrSecurity: its server may have
// greeted with PREAUTH, and so said that it knows already who we are.
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
		if errors.As(err, &refused) {
			return refusal(refused)
		}
		return err
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
	// Both may wait for the server, and neither takes a context.
	stop := context.AfterFunc(ctx, func() { client.Close() })
	greeting := client.WaitGreeting()
	capabilities := client.Caps()
	if !stop() || greeting != nil {
		return info, transport.Classify(ctx, greeting)
	}
	if client.State() != imap.ConnStateNotAuthenticated {
		return info, fmt.Errorf("%w: the client is authenticated already: by PREAUTH, or by an earlier call", sasl.ErrSecurity)
	}
	info.Mechanisms = capabilities.AuthMechanisms()
	slices.Sort(info.Mechanisms) // the library keeps no order
	return info, nil
}

// hook is what the library takes for a mechanism. It is not exported: the
// library believes success whenever it is announced, and only Drive knows
// better.
type hook struct {
	session    *sasl.Session
	equalsSign bool
	inline     bool // the initial response goes on the line of the command
}

func (h *hook) errEquals(why string) error {
	return fmt.Errorf("%w: %s %s, for which this client sends \"=\": use saslimap.NewConn, or set Existing.EqualsSign for a server that takes it",
		sasl.ErrPolicy, h.session.Mechanism(), why)
}

func (h *hook) Start() (mechanism string, initial []byte, err error) {
	mechanism, initial, err = h.session.Start()
	sendable := len(initial) > 0 || h.equalsSign // in a line of its own
	switch {
	case err != nil || initial == nil:
	case !h.inline && !sendable:
		err = h.errEquals("begins with an empty response")
	case h.inline && sendable:
		h.session.SentInline(initial)
	}
	return mechanism, initial, err
}

func (h *hook) Next(challenge []byte) (response []byte, err error) {
	return h.session.Respond(challenge)
}
