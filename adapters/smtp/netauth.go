package saslsmtp

import (
	"context"
	"net/smtp"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
)

// Auth makes an smtp.Auth of net/smtp for what accepts nothing else, such as
// smtp.SendMail. The context ends a prompt or a key derivation, but cannot end
// the library's waiting for the server. There is no channel binding, because
// the library does not show its connection, and a refusal is the library's
// *textproto.Error. [AuthenticateNet] has none of these limits.
//
// The server counts as Secure if the library says that it has TLS with it and
// knows it under the name host: smtp.SendMail verifies the certificate then.
// Do not use it with a client whose tls.Config does not.
//
// The value may be used again, one connection at a time.
func Auth(ctx context.Context, host string, auth *sasl.Client) smtp.Auth {
	return &netAuth{LoopAuth{Context: ctx, Client: auth, Host: host}}
}

type netAuth struct{ LoopAuth }

func (a *netAuth) Start(server *smtp.ServerInfo) (mechanism string, initial []byte, err error) {
	return a.Begin(server.Name, server.TLS, server.Auth)
}

// LoopAuth is what an Auth of net/smtp and one of a library that copies it have
// in common. Begin is the part of Start behind the type of its argument.
type LoopAuth struct {
	Context context.Context // of the run: an Auth has no other
	Client  *sasl.Client    // the configuration of the login
	Host    string          // the name that the server should have

	session *sasl.Session
	loop    *loop
}

// Begin starts a run with what the library says about the server.
func (a *LoopAuth) Begin(name string, tls bool, mechanisms []string) (mechanism string, initial []byte, err error) {
	info := sasl.ServerInfo{Host: a.Host, Secure: tls && name == a.Host}
	Server{}.complete(&info, authKeyword([]string{"AUTH " + strings.Join(mechanisms, " ")}))
	if a.session, err = a.Client.Begin(a.Context, info); err != nil {
		return "", nil, err
	}
	a.loop = &loop{session: a.session, dropsEmpty: true}
	return a.loop.Start()
}

// Next is that of the library's interface: more tells a challenge from success.
func (a *LoopAuth) Next(fromServer []byte, more bool) (toServer []byte, err error) {
	if more {
		return a.loop.Next(fromServer)
	}
	if err := a.loop.delivered(); err != nil {
		return nil, err
	}
	return nil, a.session.Finish(nil)
}
