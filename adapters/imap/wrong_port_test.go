package saslimap

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// drip writes octet by octet, so that each is a read of its own.
func drip(conn net.Conn, text string) {
	for i := range len(text) {
		if _, err := io.WriteString(conn, text[i:i+1]); err != nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// TestForeignGreeting: the error shows what a server of another protocol says, at
// once, in whatever reads the octets arrive, and also if the line has no end.
func TestForeignGreeting(t *testing.T) {
	const foreign = "protocol error: the server does not speak IMAP on this port: it sent "
	for name, row := range map[string]struct{ sent, text string }{
		"a firewall":        {" NO LOGOUT Intrusion prevention active\r\n", foreign + `" NO LOGOUT Intrusion prevention active"; check the port`},
		"SMTP":              {"220 mail.example.org ESMTP\r\n", foreign + `"220 mail.example.org ESMTP"; check the port`},
		"POP3":              {"+OK ready\r\n", foreign + `"+OK ready"; check the port`},
		"HTTP":              {"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", foreign + `"HTTP/1.1 400 Bad Request"; check the port`},
		"without an end":    {"SSH-2.0-x", foreign + `"SSH-2.0-x"; check the port`},
		"one octet":         {"2", foreign + `"2"; check the port`},
		"no text":           {"\x00\x1b[2J\r\n", foreign + `"[2J"; check the port`},
		"no end at all":     {strings.Repeat("x", 5000), foreign + `"` + strings.Repeat("x", 512) + `…"; check the port`},
		"almost a greeting": {"* HELLO you\r\n", `protocol error: the server sent an invalid IMAP greeting: "* HELLO you"`},
		"no response":       {"*\r\n", `protocol error: the server sent an invalid IMAP response: "*"`},
		"a code with no end": {"* OK [CAPABILITY\x1b IMAP4rev1\r\n",
			`protocol error: the server sent a response code without an end: "* OK [CAPABILITY IMAP4rev1"`},
		"TLS":               {"\x15\x03\x01\x00\x02\x02\x0a", "protocol error: the server speaks TLS on this port; use DialTLS (scheme imaps)"},
		"TLS, a handshake":  {"\x16\x03\x03\x00\x02\x02\x0a", "protocol error: the server speaks TLS on this port; use DialTLS (scheme imaps)"},
		"a control, no TLS": {"\x15\x04\x01\r\n", foreign + `""; check the port`},
	} {
		for _, whole := range []bool{true, false} {
			for kind, open := range map[string]func(context.Context, net.Conn, string, *Options) (*Conn, error){"clear": NewConn, "STARTTLS": NewStartTLS} {
				synctest.Test(t, func(t *testing.T) {
					near, far := net.Pipe()
					done := make(chan struct{})
					defer func() { near.Close(); <-done }()
					go func() {
						defer close(done)
						if whole {
							io.WriteString(far, row.sent)
						} else {
							drip(far, row.sent)
						}
					}()
					began := time.Now()
					_, err := open(t.Context(), near, "mail.example.org", &Options{StepTimeout: time.Minute})
					var step *transport.StepError
					if !errors.As(err, &step) || step.Step != transport.Greeting || step.Err.Error() != row.text {
						t.Errorf("%s, %s: %v, want %s", name, kind, err, row.text)
					}
					if since := time.Since(began); since > 2*time.Second {
						t.Errorf("%s, %s: after %s", name, kind, since)
					}
				})
			}
		}
	}
}

// TestSlowGreeting: a greeting may come late and in pieces.
func TestSlowGreeting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		done := make(chan struct{})
		defer func() { near.Close(); <-done }()
		go func() {
			defer close(done)
			time.Sleep(4 * time.Minute)
			drip(far, "* OK [CAPABILITY IMAP4rev1] hi\r\n")
		}()
		if _, err := NewConn(t.Context(), near, "", nil); err != nil {
			t.Error(err)
		}
	})
}

// TestNoGreeting: a server that waits for TLS says nothing to a client without
// TLS. The error names the way out, but not if the server has begun to speak or the
// connection has TLS.
func TestNoGreeting(t *testing.T) {
	const advice = "; the server sent no greeting; if this port is for TLS, use DialTLS (scheme imaps)"
	for name, row := range map[string]struct {
		lines  []string
		ends   bool
		advice bool
	}{
		"silent":         {nil, false, true},
		"closed":         {[]string{"!"}, false, true},
		"the caller":     {nil, true, true},
		"another answer": {[]string{"* BYE"}, false, false},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		if row.ends {
			time.AfterFunc(20*time.Millisecond, cancel)
		}
		_, err := NewStartTLS(ctx, sasltest.Scripted(t, row.lines...), "mail.example.org", &Options{StepTimeout: 100 * time.Millisecond})
		if sasl.ClassOf(err) != sasl.ErrConnection || strings.Contains(err.Error(), advice) != row.advice {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
	near, far := sasltest.Pair(t)
	io.WriteString(far, "* O")
	far.Close()
	if _, err := NewConn(t.Context(), near, "", nil); sasl.ClassOf(err) != sasl.ErrConnection || strings.Contains(err.Error(), advice) {
		t.Errorf("within the greeting: %v", err)
	}
	server := serve(t, sasltest.AllMechanisms())
	conn, err := tls.Dial("tcp", server.implicit, server.client)
	if err != nil {
		t.Fatal(err)
	}
	c := newConn(conn, host, nil)
	conn.Close()
	if err := c.open(t.Context()); sasl.ClassOf(err) != sasl.ErrConnection || strings.Contains(err.Error(), advice) {
		t.Errorf("with TLS: %v", err)
	}
}

// TestServerWithoutTLS: the first octets of a server that does not speak TLS end
// the handshake at once, and say where to go.
func TestServerWithoutTLS(t *testing.T) {
	const text = "connection error: the server does not speak TLS on this port: it sent "
	for sent, want := range map[string]string{
		"* OK hi\r\n":                  text + `"* OK ": tls: first record does not look like a TLS handshake; use DialStartTLS (scheme imap)`,
		"* BYE busy\r\n":               text + `"* BYE": tls: first record does not look like a TLS handshake; use DialStartTLS (scheme imap)`,
		"220 mail.example.org ESMTP\r": text + `"220 m": tls: first record does not look like a TLS handshake; check the port`,
	} {
		near, far := sasltest.Pair(t)
		go drip(far, sent)
		options := &Options{DialContext: func(context.Context, string, string) (net.Conn, error) { return near, nil }}
		_, err := DialTLS(t.Context(), "mail.example.org:993", options)
		var step *transport.StepError
		if !errors.As(err, &step) || step.Step != transport.TLSHandshake || step.Err.Error() != want || sasl.ClassOf(err) != sasl.ErrConnection {
			t.Errorf("DialTLS, %q: %v", sent, err)
		}
		near, far = sasltest.Pair(t)
		io.WriteString(far, sent)
		_, err = NewConn(t.Context(), tls.Client(near, &tls.Config{ServerName: host}), host, nil)
		if !errors.As(err, &step) || step.Err.Error() != want {
			t.Errorf("NewConn, %q: %v", sent, err)
		}
	}
	near, far := sasltest.Pair(t)
	options := &Options{DialContext: func(context.Context, string, string) (net.Conn, error) { return near, nil }}
	go func() { far.Read(make([]byte, 4096)); far.Close() }()
	if _, err := DialTLS(t.Context(), "mail.example.org:993", options); sasl.ClassOf(err) != sasl.ErrConnection || strings.Contains(err.Error(), "does not speak TLS") {
		t.Errorf("closed: %v", err)
	}
}
