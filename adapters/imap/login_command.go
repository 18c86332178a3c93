package saslimap

import (
	"context"
	"errors"
	"fmt"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
)

// LoginCommandName is the name of the mechanism that LoginCommand returns, in a
// Result, a trace, a Candidate and a Prompt. It is not registered with IANA, and no
// server lists it: a Conn adds the name to the server's list.
const LoginCommandName = "IMAP-LOGIN"

// LoginCommand is IMAP's LOGIN command (RFC 9051 s6.2.3) in the form of a mechanism,
// for servers without a usable AUTH=. The command hands the password over, as PLAIN
// does, so append LoginCommand to the mechanisms of the Client:
//
//	auth := &sasl.Client{Mechanisms: append(sasl.PasswordMechanisms(credentials), saslimap.LoginCommand(credentials))}
//
// A Client can use it only over a Conn, if Options.LoginCommand is set and the server
// does not list LOGINDISABLED. The policy of the Client decides about the command as
// about any mechanism.
//
// The username and the password go out as quoted strings, or as synchronizing
// literals if they are not ASCII or have more than 480 octets when quoted. An
// authzid, for which the command has no place, is an ErrConfig. So are an empty or an
// over-long username or password, a NUL, a CR or an LF in one of them, and a text that
// is not UTF-8. The limits are 1 KiB for the username and 32 KiB for the password.
// Nothing is sent then. Nil credentials are an ErrConfig too.
func LoginCommand(credentials sasl.Credentials) sasl.Mechanism { return loginCommand{credentials} }

// ErrLoginCommand is part of the ErrPolicy for a server that lists no mechanism and
// does not list LOGINDISABLED, if Options.LoginCommand is not set.
var ErrLoginCommand = errors.New("the server may have only the LOGIN command")

type loginCommand struct{ credentials sasl.Credentials }

func (loginCommand) Name() string { return LoginCommandName }

func (loginCommand) Properties() sasl.Properties {
	return sasl.Properties{SingleMessage: true, UsesPassword: true}
}

func (m loginCommand) New(t sasl.Terms) sasl.Exchange {
	// The message between the exchange and the Conn is that of PLAIN, with core's
	// checks: NUL username NUL password.
	return &loginExchange{Exchange: sasl.Plain(m.named()).New(t)}
}

// named returns the credentials, which are asked for under the name of this mechanism.
func (m loginCommand) named() sasl.Credentials {
	return func(ctx context.Context, prompt sasl.Prompt) (sasl.Credential, error) {
		if m.credentials == nil {
			return sasl.Credential{}, fmt.Errorf("%w: the LOGIN command has no Credentials: pass Credentials to the mechanism", sasl.ErrConfig)
		}
		prompt.Mechanism = LoginCommandName
		credential, err := m.credentials(ctx, prompt)
		switch {
		case err != nil:
		case credential.Authzid != "":
			err = fmt.Errorf("%w: the LOGIN command has no place for an authzid; leave it empty", sasl.ErrConfig)
		case strings.ContainsAny(credential.Username, "\r\n"):
			err = fmt.Errorf("%w: the username has a CR or an LF", sasl.ErrConfig)
		}
		return credential, err
	}
}

// loginExchange is a run of PLAIN whose password has no line ends.
type loginExchange struct {
	sasl.Exchange
	sent sasl.Secret // the message
	err  error
}

func (x *loginExchange) Step(ctx context.Context, in []byte) (out []byte, done bool, err error) {
	if x.err != nil {
		return nil, false, x.err
	}
	if out, done, x.err = x.Exchange.Step(ctx, in); x.err != nil {
		return nil, false, x.err
	}
	if _, password := loginStrings(out); strings.ContainsAny(password, "\r\n") {
		x.err = fmt.Errorf("%w: the password has a CR or an LF", sasl.ErrConfig)
		return nil, false, x.err
	}
	x.sent = sasl.NewSecret(out)
	return out, done, nil
}

// SentSecrets returns the password in both of its forms: a server that repeats the
// line that it did not understand repeats the quoted string.
func (x *loginExchange) SentSecrets() []sasl.Secret {
	_, password := loginStrings(x.sent.Bytes())
	return []sasl.Secret{sasl.NewSecret(password), sasl.NewSecret(escape(password))}
}

func (x *loginExchange) Describe(message []byte) string {
	username, _ := loginStrings(message)
	return fmt.Sprintf("username=%q password=…", username)
}

// loginStrings returns the two strings of a message.
func loginStrings(message []byte) (username, password string) {
	_, rest, _ := strings.Cut(string(message), "\x00")
	username, password, _ = strings.Cut(rest, "\x00")
	return username, password
}

// login sends the LOGIN command and reads the answer. If a string is a literal, the
// rest of the command follows only after the server has asked for it.
func (p protocol) login(ctx context.Context, message []byte) (sasl.Reply, error) {
	username, password := loginStrings(message)
	pieces := loginPieces(p.nextTag(), username, password)
	tag, _, _ := strings.Cut(pieces[0], " ")
	for i, piece := range pieces {
		resp, err := p.send(ctx, piece, tag)
		switch {
		case err != nil:
			return sasl.Reply{}, err
		case resp.tag == "+":
		case resp.status == "OK" && i < len(pieces)-1:
			return sasl.Reply{}, fmt.Errorf("%w: the server announced success before the password was sent", sasl.ErrSecurity)
		default:
			return p.conclude(resp)
		}
	}
	// The server asks for more than the command, which the mechanism refuses.
	return sasl.Reply{Data: []byte{}}, nil
}

// mostQuoted is the limit on a quoted string, in octets: with two such strings the
// command stays below the 1000 octets that RFC 2683 s3.2.1.5 advises.
const mostQuoted = 480

// loginPieces returns the lines of a LOGIN command. After each line but the last, the
// server asks for the literal that the next line begins with (RFC 9051 s4.3).
func loginPieces(tag, username, password string) []string {
	line := tag + " LOGIN"
	var pieces []string
	for _, s := range []string{username, password} {
		if quoted := escape(s); isASCII(s) && len(quoted) <= mostQuoted {
			line += ` "` + quoted + `"`
			continue
		}
		pieces = append(pieces, fmt.Sprintf("%s {%d}", line, len(s)))
		line = s
	}
	return append(pieces, line)
}

// escape returns what is between the quotes of a quoted string (RFC 9051 s9, quoted).
func escape(s string) string { return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) }

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > '\x7f' })
}
