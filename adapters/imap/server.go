package saslimap

import (
	"context"
	"time"

	"github.com/emersion/go-imap/v2/imapserver"
	gosasl "github.com/emersion/go-sasl"

	"github.com/saslkit/saslkit/channelbinding"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// ServerAuth makes one session of imapserver offer the mechanisms of a
// sasl.Server. It is embedded in the session, and has the methods of
// imapserver.SessionSASL that Session does not have.
//
// The library has no context for a connection. Work that has begun for a client,
// such as the check of a password, therefore ends by itself and not with the
// connection.
//
// The library reads a command of 50 KiB, so an initial response may have 37 KiB. A
// response on a line of its own may have 3069 octets, which are 4092 in base64: a
// longer one is refused with SERVERBUG. A token of 3 KiB and more therefore needs a
// client that uses SASL-IR, which the library lists.
type ServerAuth struct {
	// Server decides about the clients. Its SuccessData is unset, because IMAP
	// carries no data with success.
	Server *sasl.Server
	// Conn is the connection of the session.
	Conn *imapserver.Conn
	// Leaf is the server's certificate, for tls-server-end-point. The zero value =
	// the certificate is not known, and nobody can bind to it.
	Leaf channelbinding.Leaf
	// LoggedIn is called once a client is authenticated, to give the session to the
	// user. Its error refuses the client. An *imap.Error is sent as it is, another
	// error according to its class.
	LoggedIn func(sasl.Result) error
}

// handshakeTimeout bounds the handshake of a connection with implicit TLS. The
// greeting needs the handshake first.
const handshakeTimeout = 30 * time.Second

func (a *ServerAuth) connInfo() (sasl.ConnInfo, error) {
	conn := a.Conn.NetConn()
	ctx, cancel := context.WithTimeout(context.Background(), handshakeTimeout)
	defer cancel()
	if err := transport.FinishHandshake(ctx, conn); err != nil {
		return sasl.ConnInfo{}, err
	}
	info, err := channelbinding.ServerConn(conn, a.Leaf)
	info.Service = "imap"
	return info, err
}

// AuthenticateMechanisms returns the mechanisms to offer now; nil = none. It is
// for imapserver.
func (a *ServerAuth) AuthenticateMechanisms() []string {
	info, err := a.connInfo()
	if err != nil {
		return nil
	}
	return a.Server.Offer(info)
}

// Authenticate begins an exchange (RFC 9051 s6.2.2). It is for imapserver. Errors
// are an *imap.Error.
func (a *ServerAuth) Authenticate(mechanism string) (gosasl.Server, error) {
	info, err := a.connInfo()
	if err != nil {
		return nil, refusalFor(a.Server.Refuse(info, mechanism, err))
	}
	return a.Server.Loop(context.Background(), info, mechanism, a.LoggedIn, refusalFor)
}
