package saslxmpp

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"mellium.im/xmpp"
	"mellium.im/xmpp/stream"

	"github.com/saslkit/saslkit/channelbinding"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// link is the part that both profiles share: it sends and reads elements, on a
// stream that nobody else uses meanwhile.
type link struct {
	*screen // nil = the other side is the client
	reader  xml.TokenReader
	conn    net.Conn
	limited *limitedConn  // nil = there are no limits
	timeout time.Duration // of an answer; 0 = none
	open    bool          // the server waits for a response
}

// ask is roundTrip within the time of an answer. At the end of that time and of the
// context it closes the connection.
func (x *link) ask(ctx context.Context, text string) (answer Element, err error) {
	err = transport.Within(ctx, x.timeout, x.conn, func(context.Context) (err error) {
		answer, err = x.roundTrip(text)
		return err
	})
	if ended := (stream.Error{}); errors.As(err, &ended) && sasl.ClassOf(err) == sasl.ErrConnection {
		err = streamError(x.streamError(ended))
	}
	return answer, err
}

// roundTrip sends an element and reads the answer.
func (x *link) roundTrip(text string) (Element, error) {
	x.open = false
	if err := x.write(text); err != nil {
		return Element{}, err
	}
	return readElement(x.reader)
}

func (x *link) write(text string) error {
	x.limited.allow()
	if _, err := io.WriteString(x.conn, text); err != nil {
		return fmt.Errorf("%w: %w", sasl.ErrConnection, err)
	}
	return nil
}

// end ends the stream with an error (RFC 6120 s4.9). The peer may not get it.
func (x *link) end(condition string) {
	x.write(tag("stream:error", tag(condition+" xmlns='urn:ietf:params:xml:ns:xmpp-streams'", "")) + "</stream:stream>")
}

// abort cancels the exchange. The server acknowledges that with a <failure/>.
func (x *link) abort(space string) error {
	if !x.open {
		return fmt.Errorf("%w: no exchange is open that an abort could end", sasl.ErrProtocol)
	}
	answer, err := x.roundTrip(tag("abort xmlns='"+space+"'", ""))
	if err == nil && answer.Name != (xml.Name{Space: space, Local: "failure"}) {
		err = fmt.Errorf("%w: the server did not acknowledge the abort", sasl.ErrProtocol)
	}
	return err
}

// challenge returns the Reply for a challenge. Also after an invalid challenge, the
// exchange is open.
func (x *link) challenge(e *Element) (sasl.Reply, error) {
	if e.Children != nil {
		return sasl.Reply{}, fmt.Errorf("%w: the server sent a challenge with elements in it", sasl.ErrProtocol)
	}
	x.open = true
	data, err := decodeMessage(e.Text)
	return sasl.Reply{Data: data}, err
}

// unexpected returns the error for an element that is not an answer.
func unexpected(e *Element) error {
	return fmt.Errorf("%w: the peer sent <%s xmlns=%q> in place of an answer",
		sasl.ErrProtocol, sasl.Printable(e.Name.Local), sasl.Printable(e.Name.Space))
}

// Close closes the connection without further words.
func (x *link) Close() error { return transport.Close(x.conn) }

// serverInfo returns the facts about the server and the connection, with the list
// of RFC 6120's profile.
func (l *Login) serverInfo(s *xmpp.Session) (sasl.ServerInfo, error) {
	info, err := connectionInfo(s, asciiDomain(s.RemoteAddr().Domainpart()))
	if err != nil {
		return sasl.ServerInfo{}, err
	}
	if l.Secure {
		info.Secure = true
	}
	info.EnforcesBinding = l.EnforcesBinding
	info.Service, info.SuccessData, info.Downgrade = serviceName, true, true
	if remote, ok := s.Conn().RemoteAddr().(*net.TCPAddr); ok {
		info.Port = remote.Port
	}
	mechanisms, _ := s.Feature(nsSASL)
	info.Mechanisms, _ = mechanisms.([]string)
	bindings, _ := s.Feature(nsBindings)
	info.AdvertisedBindings, _ = bindings.([]string)
	return info, nil
}

// connectionInfo returns the facts that the connection proves.
func connectionInfo(s *xmpp.Session, host string) (sasl.ServerInfo, error) {
	state := s.ConnectionState()
	switch {
	case state.HandshakeComplete:
		return channelbinding.Client(&state, host)
	case s.Conn().RemoteAddr() == nil: // an io.ReadWriter that is not a net.Conn
		return sasl.ServerInfo{Host: host}, nil
	}
	return channelbinding.ClientConn(struct{ net.Conn }{s.Conn()}, host)
}
