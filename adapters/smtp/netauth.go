package saslsmtp

import (
	"context"
	"net/smtp"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
)

// Auth makes an smtp.Auth of net/smtp for functions that accept nothing else, such
// as smtp.SendMail. [AuthenticateNet] has none of these limits:
//
//   - The context ends a prompt or a key derivation, but not the library's waiting
//     for the server.
//   - There is no channel binding, because the library does not show its
//     connection.
//   - A refusal is the library's *textproto.Error.
//
// The server counts as Secure if the library reports TLS and has the name host for
// the server: smtp.SendMail verifies the certificate then. Do not use the value
// with a client whose tls.Config does not verify.
//
// The value may be used again, for one connection at a time.
func Auth(ctx context.Context, host string, auth *sasl.Client) smtp.Auth {
	return &netAuth{LoopAuth{Context: ctx, Client: auth, Host: host}}
}

type netAuth struct{ LoopAuth }

func (a *netAuth) Start(server *smtp.ServerInfo) (mechanism string, initial []byte, err error) {
	return a.Begin(server.Name, server.TLS, server.Auth)
}

// LoopAuth is the part that an Auth of net/smtp and an Auth of a library that
// copies it have in common. The author of an Auth embeds it, and calls Begin in
// Start.
type LoopAuth struct {
	Context context.Context // of the run, because an Auth gets no other
	Client  *sasl.Client    // the configuration of the login
	Host    string          // the name that the server should have

	session *sasl.Session
	loop    *loop
}

// Begin starts a run with the library's facts about the server: its name, whether
// the connection has TLS, and the mechanisms. A nil initial response is none.
// Errors are those of sasl.Client.
func (a *LoopAuth) Begin(name string, tls bool, mechanisms []string) (mechanism string, initial []byte, err error) {
	info := sasl.ServerInfo{Host: a.Host, Secure: tls && name == a.Host}
	Existing{}.complete(&info, authKeyword([]string{"AUTH " + strings.Join(mechanisms, " ")}))
	if a.session, err = a.Client.Begin(a.Context, info); err != nil {
		return "", nil, err
	}
	a.loop = &loop{session: a.session, dropsEmpty: true}
	return a.loop.Start()
}

// Next returns the response to a challenge or, unless more is set, takes the
// server's success. Success that is not proved is an ErrSecurity.
func (a *LoopAuth) Next(fromServer []byte, more bool) (toServer []byte, err error) {
	if more {
		return a.loop.Next(fromServer)
	}
	if err := a.loop.waiting.Success(); err != nil {
		return nil, err
	}
	return nil, a.session.Finish(nil)
}
