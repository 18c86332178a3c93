package saslsmtp_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	"github.com/saslkit/saslkit/adapters/smtp/internal/smtptest"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestWrongPort: the error says at once what the peer is, if its first octets show
// it, and else what its silence may mean. Of a banner it shows a line.
func TestWrongPort(t *testing.T) {
	say := func(parts ...string) func(net.Conn) {
		return func(far net.Conn) {
			for _, part := range parts {
				if _, err := io.WriteString(far, part); err != nil {
					return
				}
				time.Sleep(5 * time.Millisecond)
			}
			io.Copy(io.Discard, far) // until the client hangs up
		}
	}
	drip := strings.Split(strings.Repeat("a", 10_000), "")
	for name, row := range map[string]struct {
		serve   func(net.Conn)
		tls     bool
		timeout time.Duration
		class   sasl.Class
		text    string
	}{
		"clear text":        {say("220 mail.example.org ESMTP\r\n"), true, 5 * time.Second, sasl.ErrConnection, `; the server speaks SMTP without TLS on this port (it begins with "220 m"); use DialStartTLS (smtp://)`},
		"a bare greeting":   {say("220\r\n"), true, 5 * time.Second, sasl.ErrConnection, `(it begins with "220\r\n"); use DialStartTLS (smtp://)`},
		"other clear text":  {say("* OK hi\r\n"), true, 5 * time.Second, sasl.ErrConnection, "first record does not look like a TLS handshake; the server does not speak TLS on this port (it begins with \"* OK \"); check the port (step: handshake"},
		"TLS is silent":     {say(), false, 300 * time.Millisecond, sasl.ErrConnection, "deadline exceeded; the server sent nothing; if it expects TLS from the first octet, as on port 465, use DialTLS (smtps://) (step: greeting"},
		"no bound but ours": {say(), false, 0, sasl.ErrConnection, "the peer did not answer within 300ms: i/o timeout; the server sent nothing; if"},
		"TLS alert":         {say("\x15\x03\x01\x00\x02\x02\x28"), false, 5 * time.Second, sasl.ErrProtocol, "protocol error: the server speaks TLS from the first octet; use DialTLS (smtps://) (step: greeting"},
		"TLS handshake":     {say("\x16"), false, 5 * time.Second, sasl.ErrProtocol, "use DialTLS (smtps://) (step: greeting"},
		"IMAP":              {say("* OK", " hi\x1b[2J\r\n* ", "more\r\n"), false, 5 * time.Second, sasl.ErrProtocol, "the server does not speak SMTP; it begins with: * OK hi[2J; check the port (step: greeting"},
		"HTTP":              {say("HTTP/1.1 400 Bad Request\r\n\r\n"), false, 5 * time.Second, sasl.ErrProtocol, "it begins with: HTTP/1.1 400 Bad Request; check the port (step"},
		"no line":           {say("+OK"), false, 5 * time.Second, sasl.ErrProtocol, "it begins with: +OK; check the port (step"},
		"a drip":            {say(drip...), false, 5 * time.Second, sasl.ErrProtocol, "it begins with: aaa"},
		"a long line":       {say(strings.Repeat("a", 100_000)), false, 5 * time.Second, sasl.ErrProtocol, "it begins with: " + strings.Repeat("a", 512) + "…; check the port (step"},
		"nearly SMTP":       {say("220hi\r\n"), false, 5 * time.Second, sasl.ErrProtocol, "the server sent an invalid SMTP reply: 220hi (step: greeting"},
		"slow, then late":   {say("2", "2"), false, 300 * time.Millisecond, sasl.ErrConnection, "deadline exceeded (step: greeting"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, options := t.Context(), &saslsmtp.Options{TLSConfig: &tls.Config{ServerName: smtptest.Host}}
			if row.timeout > 0 {
				limited, cancel := context.WithTimeout(ctx, row.timeout)
				defer cancel()
				ctx = limited
			} else {
				options.StepTimeout = 300 * time.Millisecond
			}
			dial := saslsmtp.DialStartTLS
			if row.tls {
				dial = saslsmtp.DialTLS
			}
			start := time.Now()
			_, err := dial(ctx, sasltest.Listen(t, row.serve), options)
			if sasl.ClassOf(err) != row.class || !strings.Contains(err.Error(), row.text) {
				t.Errorf("%v, want %s", err, row.text)
			}
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// TestSlowGreeting: a greeting that comes late, and octet by octet, is a greeting.
func TestSlowGreeting(t *testing.T) {
	near, far := sasltest.Pair(t)
	go func() {
		time.Sleep(1500 * time.Millisecond) // more than a banner may take
		for _, octet := range strings.Split("220 hi\r\n", "") {
			io.WriteString(far, octet)
			time.Sleep(time.Millisecond)
		}
		far.Read(make([]byte, 1024))
		io.WriteString(far, "250 mail.example.org\r\n")
	}()
	if _, err := saslsmtp.NewConn(t.Context(), near, smtptest.Host, nil); err != nil {
		t.Error(err)
	}
}

// TestSilenceMeansNothing: the error has no advice about the port if the server hung
// up, or was silent under TLS.
func TestSilenceMeansNothing(t *testing.T) {
	certificate, pool := sasltest.Certificate(t, smtptest.Host)
	for name, row := range map[string]struct {
		serve func(net.Conn)
		tls   bool
	}{
		"hung up": {func(far net.Conn) { far.Close() }, false},
		"silent under TLS": {func(far net.Conn) {
			tls.Server(far, &tls.Config{Certificates: []tls.Certificate{certificate}}).Handshake()
			io.Copy(io.Discard, far)
		}, true},
	} {
		near, far := sasltest.Pair(t)
		go row.serve(far)
		conn := near
		if row.tls {
			conn = tls.Client(near, &tls.Config{RootCAs: pool, ServerName: smtptest.Host})
		}
		_, err := saslsmtp.NewConn(t.Context(), conn, smtptest.Host, &saslsmtp.Options{StepTimeout: 100 * time.Millisecond})
		if sasl.ClassOf(err) != sasl.ErrConnection || errors.As(err, new(*transport.PortError)) {
			t.Errorf("%s: %v", name, err)
		}
		near.Close()
	}
}

// TestSilenceAndCancel: a person who gives up learns what the silence may mean.
func TestSilenceAndCancel(t *testing.T) {
	near, _ := sasltest.Pair(t)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	var port *transport.PortError
	if _, err := saslsmtp.NewConn(ctx, near, smtptest.Host, nil); !errors.As(err, &port) || port.Found != transport.PortSilent || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
