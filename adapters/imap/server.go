package saslimap

import (
	"context"
	"errors"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	gosasl "github.com/emersion/go-sasl"

	"github.com/saslkit/saslkit/channelbinding"
	sasl "github.com/saslkit/saslkit/core"
)

// ServerAuth makes a session of imapserver offer the mechanisms of a
// sasl.Server. Embedded in the session, it is the part of
// imapserver.SessionSASL that is not Session.
type ServerAuth struct {
	// Server has SuccessData unset: IMAP carries no data with success.
	Server *sasl.Server
	// Conn is the connection of the session.
	Conn *imapserver.Conn
	// Leaf is the server's certificate, for tls-server-end-point.
	Leaf channelbinding.Leaf
	// LoggedIn is called once a client is authenticated, to make the session the
	// user's. Its error refuses the client.
	LoggedIn func(sasl.Result) error
}

// handshakeTimeout bounds the handshake of an implicit TLS connection, which
// is first needed for the greeting.
const handshakeTimeout = 30 * time.Second

func (a *ServerAuth) connInfo() (sasl.ConnInfo, error) {
	conn := a.Conn.NetConn()
	if conn, ok := conn.(interface{ HandshakeContext(context.Context) error }); ok {
		ctx, cancel := context.WithTimeout(context.Background(), handshakeTimeout)
		defer cancel()
		if err := conn.HandshakeContext(ctx); err != nil {
			return sasl.ConnInfo{}, err
		}
	}
	info, err := channelbinding.ServerConn(conn, a.Leaf)
	info.Service = "imap"
	return info, err
}

// AuthenticateMechanisms is for imapserver.
func (a *ServerAuth) AuthenticateMechanisms() []string {
	info, err := a.connInfo()
	if err != nil {
		return nil
	}
	return a.Server.Offer(info)
}

// Authenticate is for imapserver.
func (a *ServerAuth) Authenticate(mechanism string) (gosasl.Server, error) {
	info, err := a.connInfo()
	if err != nil {
		return nil, refusalFor(err)
	}
	return a.Server.Loop(context.Background(), info, mechanism, a.LoggedIn, refusalFor)
}

// refusalFor turns a reason into what the client may know of it: imapserver
// sends an *imap.Error as it is, and SERVERBUG for anything else.
func refusalFor(reason error) error {
	var own *imap.Error
	if errors.As(reason, &own) {
		return own
	}
	refusal := &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeAuthenticationFailed, Text: "Authentication failed"}
	switch sasl.ClassOf(reason) {
	case sasl.ErrAuthorization:
		refusal.Code, refusal.Text = imap.ResponseCodeAuthorizationFailed, "Not allowed for this identity"
	case sasl.ErrProtocol:
		refusal.Type, refusal.Code, refusal.Text = imap.StatusResponseTypeBad, "", "Malformed authentication exchange"
	case sasl.ErrPolicy:
		refusal.Code, refusal.Text = imap.ResponseCodeCannot, "Mechanism not offered"
	case sasl.ErrTemporary, sasl.ErrConfig, sasl.ErrConnection, "":
		refusal.Code, refusal.Text = imap.ResponseCodeUnavailable, "Authentication is not available at the moment"
	}
	return refusal
}
