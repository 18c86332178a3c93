package saslsmtp

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// greet reads the server's greeting (RFC 5321 s4.2).
func (c *Conn) greet() error {
	if err := c.expectSMTP(); err != nil {
		return err
	}
	r, err := readReply(c.protocol.reader)
	if err == nil && r.code != 220 {
		err = rejected(r.refusal())
	}
	return err
}

// The types of the TLS records that a server sends to a client that is silent or
// that does not speak TLS (RFC 8446 s5.1).
const (
	recordAlert     = 21
	recordHandshake = 22
)

// bannerTimeout bounds the wait for the rest of a line that is not SMTP. A peer may
// never end it.
const bannerTimeout = time.Second

// expectSMTP returns an error as soon as the first octet shows that the peer does
// not speak SMTP.
func (c *Conn) expectSMTP() error {
	reader := c.protocol.reader
	first, err := reader.Peek(1)
	c.heard = err == nil
	switch {
	case err != nil:
		return transport.ReadError(err)
	case first[0] >= '2' && first[0] <= '5':
		return nil
	case first[0] == recordAlert || first[0] == recordHandshake:
		return &transport.PortError{
			Found: transport.PortTLS, Advice: "use DialTLS (smtps://)",
			Err: fmt.Errorf("%w: the server speaks TLS from the first octet", sasl.ErrProtocol),
		}
	}
	c.conn.SetReadDeadline(time.Now().Add(bannerTimeout)) // the connection is closed afterwards
	banner := first
	for len(banner) < reader.Size() && bytes.IndexByte(banner, '\n') < 0 {
		if _, err := reader.Peek(len(banner) + 1); err != nil {
			break
		}
		banner, _ = reader.Peek(reader.Buffered())
	}
	line, _, _ := bytes.Cut(banner, []byte("\n"))
	return &transport.PortError{
		Found: transport.PortForeign, Advice: "check the port",
		Err: fmt.Errorf("%w: the server does not speak SMTP; it begins with: %s", sasl.ErrProtocol, sasl.Printable(string(line))),
	}
}

// silent adds to the error of a greeting that did not come what the silence may
// mean.
func (c *Conn) silent(err error) error {
	var step *transport.StepError
	late := errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
	if !late || c.heard || isTLS(c.conn) || !errors.As(err, &step) {
		return err
	}
	step.Err = &transport.PortError{
		Found: transport.PortSilent, Advice: "if it expects TLS from the first octet, as on port 465, use DialTLS (smtps://)",
		Err: fmt.Errorf("%w; the server sent nothing", step.Err),
	}
	return err
}

func isTLS(conn any) bool {
	_, ok := conn.(interface{ ConnectionState() tls.ConnectionState })
	return ok
}

// clearText adds to the error of a TLS handshake that the server answered in SMTP
// what to do about it.
func clearText(err error) error {
	var (
		step   *transport.StepError
		record tls.RecordHeaderError
	)
	if !errors.As(err, &record) || !errors.As(err, &step) {
		return err
	}
	begin := string(record.RecordHeader[:])
	if _, _, _, ok := parseReplyLine(begin); ok || begin[3:] == "\r\n" {
		step.Err = &transport.PortError{
			Found: transport.PortClear, Advice: "use DialStartTLS (smtp://)",
			Err: fmt.Errorf("%w; the server speaks SMTP without TLS on this port (it begins with %q)", step.Err, begin),
		}
		return err
	}
	step.Err = &transport.PortError{
		Found: transport.PortForeign, Advice: "check the port",
		Err: fmt.Errorf("%w; the server does not speak TLS on this port (it begins with %q)", step.Err, sasl.Printable(begin)),
	}
	return err
}
