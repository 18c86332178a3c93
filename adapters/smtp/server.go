package saslsmtp

import (
	"context"

	gosasl "github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/saslkit/saslkit/channelbinding"
	sasl "github.com/saslkit/saslkit/core"
)

// ServerLineLength is the least MaxLineLength that an smtp.Server should have, in
// octets: the 12288 of base64 that RFC 4954 s4 demands, and the end of the line.
// A message of 9216 octets then passes, and a longer one ends the connection. With the
// library's default of 2000 octets, so does a token of more than 1.4 KiB.
const ServerLineLength = maxResponse + 2

// ServerAuth makes one session of go-smtp's server offer the mechanisms of a
// sasl.Server. It is embedded in the session, and has the methods of
// smtp.AuthSession that Session does not have.
type ServerAuth struct {
	// Server decides about the clients. Its SuccessData is unset, because SMTP
	// carries no data with success.
	Server *sasl.Server
	// Conn is the connection of the session.
	Conn *smtp.Conn
	// Leaf is the server's certificate, for tls-server-end-point. The zero value =
	// the certificate is not known, and nobody can bind to it.
	Leaf channelbinding.Leaf
	// LoggedIn is called once a client is authenticated, to give the session to the
	// user. Its error refuses the client. An *smtp.SMTPError is sent as it is,
	// another error according to its class.
	LoggedIn func(sasl.Result) error
}

func (a *ServerAuth) connInfo() (sasl.ConnInfo, error) {
	info, err := channelbinding.ServerConn(a.Conn.Conn(), a.Leaf)
	info.Service = "smtp"
	return info, err
}

// AuthMechanisms returns the mechanisms to offer now; nil = none. It is for
// go-smtp.
func (a *ServerAuth) AuthMechanisms() []string {
	info, err := a.connInfo()
	if err != nil {
		return nil
	}
	return a.Server.Offer(info)
}

// Auth begins an exchange (RFC 4954 s4). It is for go-smtp. Errors are an
// *smtp.SMTPError.
func (a *ServerAuth) Auth(mechanism string) (gosasl.Server, error) {
	info, err := a.connInfo()
	if err != nil {
		return nil, refusalFor(a.Server.Refuse(info, mechanism, err))
	}
	return a.Server.Loop(context.Background(), info, mechanism, a.LoggedIn, refusalFor)
}
