package saslsmtp

import (
	"context"
	"errors"

	gosasl "github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/saslkit/saslkit/channelbinding"
	sasl "github.com/saslkit/saslkit/core"
)

// ServerLineLength is what MaxLineLength of an smtp.Server should be at least:
// the 12288 octets of base64 that RFC 4954 s4 wants a line to have room for,
// and its end. The library's default cuts a long response off.
const ServerLineLength = maxResponse + 2

// ServerAuth makes a session of go-smtp's server offer the mechanisms of a
// sasl.Server. Embedded in the session, it is the part of smtp.AuthSession that
// is not Session.
type ServerAuth struct {
	// Server has SuccessData unset: SMTP carries no data with success.
	Server *sasl.Server
	// Conn is the connection of the session.
	Conn *smtp.Conn
	// Leaf is the server's certificate, for tls-server-end-point.
	Leaf channelbinding.Leaf
	// LoggedIn is called once a client is authenticated, to make the session the
	// user's. Its error refuses the client.
	LoggedIn func(sasl.Result) error
}

func (a *ServerAuth) connInfo() (sasl.ConnInfo, error) {
	info, err := channelbinding.ServerConn(a.Conn.Conn(), a.Leaf)
	info.Service = "smtp"
	return info, err
}

// AuthMechanisms is for go-smtp.
func (a *ServerAuth) AuthMechanisms() []string {
	info, err := a.connInfo()
	if err != nil {
		return nil
	}
	return a.Server.Offer(info)
}

// Auth is for go-smtp.
func (a *ServerAuth) Auth(mechanism string) (gosasl.Server, error) {
	info, err := a.connInfo()
	if err != nil {
		return nil, refusalFor(err)
	}
	return a.Server.Loop(context.Background(), info, mechanism, a.LoggedIn, refusalFor)
}

// refusalFor turns a reason into what the client may know of it (RFC 4954 s6).
func refusalFor(reason error) error {
	var own *smtp.SMTPError
	if errors.As(reason, &own) {
		return own
	}
	switch sasl.ClassOf(reason) {
	case sasl.ErrProtocol:
		return &smtp.SMTPError{Code: 501, EnhancedCode: smtp.EnhancedCode{5, 5, 2}, Message: "Malformed authentication exchange"}
	case sasl.ErrPolicy:
		return &smtp.SMTPError{Code: 504, EnhancedCode: smtp.EnhancedCode{5, 5, 4}, Message: "Mechanism not offered"}
	case sasl.ErrTemporary, sasl.ErrConfig, sasl.ErrConnection, "":
		return &smtp.SMTPError{Code: 454, EnhancedCode: smtp.EnhancedCode{4, 7, 0}, Message: "Temporary authentication failure"}
	}
	return smtp.ErrAuthFailed
}
