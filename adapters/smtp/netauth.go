package saslsmtp

import (
	"context"
	"errors"
	"fmt"
	"net/smtp"
	"net/textproto"
	"strings"

	"github.com/saslkit/saslkit/channelbinding"
	sasl "github.com/saslkit/saslkit/core"
)

// Auth makes an smtp.Auth of net/smtp for functions that accept nothing else, such
// as smtp.SendMail. [AuthenticateNet] has none of these limits:
//
//   - The context ends a prompt or a key derivation, but not the library's waiting
//     for the server.
//
//   - There is no channel binding, because the library does not show its
//     connection.
//
//   - There is one attempt: the library ends the connection after a refusal. A refused
//     token is not followed by another, and Retry of the Client is not called.
//
//   - A refusal is the library's *textproto.Error, with a text that nobody has
//     checked: a server may repeat the password in it. Pass the error of the function
//     through Screen of the value before a person sees the error:
//
//     smtpAuth := saslsmtp.Auth(ctx, "mail.example.org", auth)
//     err := smtpAuth.Screen(smtp.SendMail(address, smtpAuth, from, to, message))
//
// The server counts as Secure if the library reports TLS and has the name host for
// the server: smtp.SendMail verifies the certificate then. Do not use the value
// with a client whose tls.Config does not verify.
//
// The value may be used again, for one connection at a time.
func Auth(ctx context.Context, host string, auth *sasl.Client) *NetAuth {
	return &NetAuth{LoopAuth{Context: ctx, Client: auth, Host: host}}
}

// NetAuth is the smtp.Auth of net/smtp that Auth makes.
type NetAuth struct{ LoopAuth }

// Start is for net/smtp.
func (a *NetAuth) Start(server *smtp.ServerInfo) (mechanism string, initial []byte, err error) {
	return a.Begin(server.Name, server.TLS, server.Auth)
}

// LoopAuth is the part that an Auth of net/smtp and an Auth of a library that
// copies it have in common. The author of an Auth embeds it, and calls Begin in
// Start.
type LoopAuth struct {
	Context context.Context // of the run, because an Auth gets no other
	Client  *sasl.Client    // the configuration of the login
	Host    string          // the name that the server should have

	session *sasl.Session // of the last run that began; nil = none has
	loop    *loop         // of the run; nil = the last Begin failed, or there was none
}

// Begin starts a run with the library's facts about the server: its name, whether
// the connection has TLS, and the mechanisms. A nil initial response is none.
// Errors are those of sasl.Client.
func (a *LoopAuth) Begin(name string, tls bool, mechanisms []string) (mechanism string, initial []byte, err error) {
	a.loop = nil
	if a.Client == nil {
		return "", nil, fmt.Errorf("%w: there is no sasl.Client; set Client", sasl.ErrConfig)
	}
	info := sasl.ServerInfo{Host: a.Host, InsecureReason: a.insecureReason(name, tls)}
	info.Secure = info.InsecureReason == nil
	Existing{}.complete(&info, authKeyword([]string{"AUTH " + strings.Join(mechanisms, " ")}))
	session, err := a.Client.Begin(a.Context, info)
	if err != nil {
		return "", nil, err
	}
	a.session, a.loop = session, &loop{session: session, dropsEmpty: true}
	return a.loop.Start()
}

// insecureReason returns why the connection is not Secure. Nil = it is. A library
// reports TLS also for a connection to a server that it knows under another name,
// and the name alone also for a connection whose STARTTLS somebody removed.
func (a *LoopAuth) insecureReason(name string, tls bool) error {
	switch {
	case !tls:
		return channelbinding.ErrNoTLS
	case name == "":
		return errors.New("the library has no name for the server")
	case name != a.Host:
		return fmt.Errorf("the library knows the server as %q, and not as %q; give the same name to both", sasl.Printable(name), sasl.Printable(a.Host))
	}
	return nil
}

// Next returns the response to a challenge or, unless more is set, takes the
// server's success. Success that is not proved is an ErrSecurity. Without a Begin
// that succeeded, Next returns an ErrConfig.
func (a *LoopAuth) Next(fromServer []byte, more bool) (toServer []byte, err error) {
	switch {
	case a.loop == nil:
		return nil, fmt.Errorf("%w: no run has begun; call Start first, and give up if Start returns an error", sasl.ErrConfig)
	case more:
		return a.loop.Next(fromServer)
	}
	if err := a.loop.waiting.Success(); err != nil {
		return nil, err
	}
	return nil, a.session.Finish(nil)
}

// Screen returns the error of the function that used the value, for a person to
// read. If the text repeats a secret that the last run has sent, the error is a
// *textproto.Error with the server's code and without the text, or an error of the
// same class. If the server has refused a bearer token, the error has its reasons, a
// *sasl.BearerError, too. Any other error is returned as it is.
func (a *LoopAuth) Screen(err error) error {
	if err == nil || a.session == nil {
		return err
	}
	err = a.withhold(err)
	if token := (*sasl.BearerError)(nil); errors.As(a.session.Err(), &token) {
		err = fmt.Errorf("%w: %w; no second attempt: this kind of login cannot make one with another token", err, token)
	}
	return err
}

func (a *LoopAuth) withhold(err error) error {
	var refused *textproto.Error
	isReply := errors.As(err, &refused)
	switch class := sasl.ClassOf(err); {
	case !a.session.Repeats(err.Error()) && !(isReply && a.session.Repeats(refused.Msg)):
		return err
	case isReply:
		return &textproto.Error{Code: refused.Code, Msg: errWithheld.Error()}
	case class != "":
		return fmt.Errorf("%w: %w", class, errWithheld)
	}
	return errWithheld
}

var errWithheld = errors.New("the server's text is withheld, because it repeats a secret")
