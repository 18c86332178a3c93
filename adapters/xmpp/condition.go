package saslxmpp

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"

	"mellium.im/xmpp/stanza"
	"mellium.im/xmpp/stream"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// Refusal has the words of a server that refuses an authentication (RFC 6120
// s6.4.5, s6.5), unverified. It is in a *sasl.Failure; use errors.As. A value that
// repeats a secret is missing.
type Refusal struct {
	Condition string // as the server sent it; "" = none
	Text      string // for people; "" = none
	Lang      string // the language of Text; "" = not stated
	// Application has the elements of other namespaces; nil = none.
	Application []Element
}

// Error returns the condition and the text, both printable.
func (r *Refusal) Error() string {
	text := "refused with " + sasl.Printable(r.Condition)
	if r.Text != "" {
		text += ": " + sasl.Printable(r.Text)
	}
	return text
}

// TasksError is the error of a login after which the server demands a task, such as
// a second factor (XEP-0388 s2.6.3). Its class is ErrAuthorization.
type TasksError struct {
	Tasks []string // the server demands one of them
	Text  string   // the server's text for people; "" = none
}

// Error returns the class, the tasks and the text, all printable.
func (e *TasksError) Error() string {
	text := sasl.ErrAuthorization.Error() + ": the server demands another task"
	if len(e.Tasks) > 0 {
		text += ": " + sasl.Printable(strings.Join(e.Tasks, " "))
	}
	if e.Text != "" {
		text += ": " + sasl.Printable(e.Text)
	}
	return text
}

// Unwrap returns the class.
func (e *TasksError) Unwrap() error { return sasl.ErrAuthorization }

// failure returns the refusal in a <failure/>. The conditions are in RFC 6120's
// namespace in both profiles; some servers leave them in SASL2's.
func failure(e *Element) *sasl.Failure {
	refusal := &Refusal{}
	for _, child := range e.Children {
		switch {
		case child.Name.Space != nsSASL && child.Name.Space != e.Name.Space:
			refusal.Application = append(refusal.Application, child)
		case child.Name.Local == "text":
			refusal.Text = child.Text
			for _, a := range child.Attr {
				if a.Name.Local == "lang" {
					refusal.Lang = a.Value
				}
			}
		case refusal.Condition == "":
			refusal.Condition = child.Name.Local
		}
	}
	condition := sasl.Condition(refusal.Condition)
	if stated := sasl.StatedCondition(refusal.Text); condition == sasl.NotAuthorized && stated != "" {
		condition = stated
	}
	return &sasl.Failure{Condition: condition, Text: refusal.Text, Err: refusal}
}

// refusalFor returns the condition and the text that a client gets for a reason
// (RFC 6120 s6.5). A *sasl.Failure has its own.
func refusalFor(reason error) (sasl.Condition, string) {
	var own *sasl.Failure
	if errors.As(reason, &own) && own.Condition != "" {
		return own.Condition, own.Text
	}
	switch sasl.ClassOf(reason) {
	case sasl.ErrAuthentication, sasl.ErrSecurity:
		return sasl.NotAuthorized, ""
	case sasl.ErrAuthorization:
		return sasl.InvalidAuthzid, ""
	case sasl.ErrProtocol:
		return sasl.MalformedRequest, ""
	case sasl.ErrPolicy:
		return sasl.InvalidMechanism, ""
	}
	return sasl.TemporaryAuthFailure, ""
}

// grammarErrors are the stream errors about XML (RFC 6120 s4.9.3). The library uses
// them for its own findings too.
var grammarErrors = []string{
	stream.BadFormat.Err, stream.BadNamespacePrefix.Err, stream.InvalidNamespace.Err,
	stream.InvalidXML.Err, stream.NotWellFormed.Err, stream.RestrictedXML.Err,
}

// streamError gives an error of reading a stream its class: ErrConnection if the
// connection or the stream has ended, else ErrProtocol.
func streamError(err error) error {
	var ended stream.Error
	var malformed *xml.SyntaxError
	var network net.Error
	switch {
	case err == nil || sasl.ClassOf(err) != "":
		return err
	case errors.As(err, &ended) && slices.Contains(grammarErrors, ended.Err):
		return fmt.Errorf("%w: the peer sent invalid XMPP: %w", sasl.ErrProtocol, ended)
	case errors.As(err, &ended):
		text := ""
		if len(ended.Text) > 0 {
			text = ": " + sasl.Printable(ended.Text[0].Value)
		}
		return fmt.Errorf("%w: the peer ended the stream: %w%s", sasl.ErrConnection, ended, text)
	case strings.Contains(err.Error(), "(*stream.Error).UnmarshalXML"):
		// The library cannot read a stream error with an application-specific
		// condition (RFC 6120 s4.9.4).
		return fmt.Errorf("%w: the peer ended the stream with an error of its own", sasl.ErrConnection)
	case errors.As(err, &malformed) && malformed.Msg == "unexpected EOF":
		return transport.ReadError(io.EOF)
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return transport.ReadError(io.EOF)
	case errors.As(err, &network) || errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%w: %w", sasl.ErrConnection, err)
	}
	return fmt.Errorf("%w: %s", sasl.ErrProtocol, sasl.Printable(err.Error()))
}

// laterError is an error after the authentication. Its text has known conditions
// alone in place of the server's words, which are for errors.As.
type laterError struct {
	class sasl.Class
	what  string
	err   error // nil = withheld
}

func (e *laterError) Error() string { return e.class.Error() + ": " + e.what }

// Unwrap returns the class, and the library's error.
func (e *laterError) Unwrap() []error {
	if e.err == nil {
		return []error{e.class}
	}
	return []error{e.class, e.err}
}

// bindRefusal gives the library's error for a refused resource its class.
func (s *screen) bindRefusal(err error) error {
	const what = "the server refused to bind a resource"
	refused, ok := err.(*stanza.Error)
	switch {
	case !ok:
		return err
	case refused.Type == stanza.Wait:
		return &laterError{sasl.ErrTemporary, what + knownCondition(string(refused.Condition)), s.stanzaError(*refused)}
	}
	return &laterError{sasl.ErrAuthorization, what + knownCondition(string(refused.Condition)), s.stanzaError(*refused)}
}

// later gives an error after the authentication its class, unless it is a
// laterError. An error of reading may contain the server's words. from is the address
// that the stream claims: a server may end the stream because of it.
func (s *screen) later(err error, from string) error {
	var ended stream.Error
	classed := streamError(tlsError(err))
	class := sasl.ClassOf(classed)
	switch {
	case errors.As(err, new(*laterError)), class == sasl.ErrSecurity:
		return classed
	case errors.As(err, &ended) && class == sasl.ErrProtocol:
		return &laterError{class, "the stream is invalid" + knownCondition(ended.Err), s.streamError(ended)}
	case errors.As(err, &ended):
		return &laterError{class, "the server ended the stream after the authentication" + knownCondition(ended.Err) + from, s.streamError(ended)}
	case class == sasl.ErrConnection && hungUp(classed):
		return &laterError{class, "the server closed the connection after the authentication" + from, classed}
	case class == sasl.ErrProtocol && sasl.ClassOf(err) == "" || s.repeatedIn(err):
		return &laterError{class, "the server sent other data than the next step needs", nil}
	}
	return classed
}

// conditions are the conditions of RFC 6120 s4.9.3 and s8.3.3.
var conditions = []string{
	"bad-format", "bad-namespace-prefix", "conflict", "connection-timeout", "host-gone", "host-unknown",
	"improper-addressing", "internal-server-error", "invalid-from", "invalid-namespace", "invalid-xml", "not-authorized",
	"not-well-formed", "policy-violation", "remote-connection-failed", "reset", "resource-constraint", "restricted-xml",
	"see-other-host", "system-shutdown", "undefined-condition", "unsupported-encoding", "unsupported-feature",
	"unsupported-stanza-type", "unsupported-version",
	"bad-request", "feature-not-implemented", "forbidden", "gone", "item-not-found", "jid-malformed", "not-acceptable",
	"not-allowed", "recipient-unavailable", "redirect", "registration-required", "remote-server-not-found",
	"remote-server-timeout", "service-unavailable", "subscription-required", "unexpected-request",
}

// known returns a condition of these; else "".
func known(name string) string {
	if !slices.Contains(conditions, name) {
		return ""
	}
	return name
}

// knownCondition returns ": " and the name, or "" for an unknown name.
func knownCondition(name string) string {
	if known(name) == "" {
		return ""
	}
	return ": " + name
}
