package saslimap

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

const listsPLAIN = "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi"

// states are the states of a connection: how the client makes it, and what the server
// does until then. The lines of the server are divided by "/"; "<" reads a line,
// and "TLS" makes TLS.
var states = map[string]struct{ kind, lines string }{
	"greeting":                        {"clear", ""},
	"within the greeting":             {"clear", "* OK"},
	"another protocol":                {"clear", "x"},
	"greeting for STARTTLS":           {"STARTTLS", ""},
	"greeting under TLS":              {"implicit", "TLS"},
	"handshake":                       {"implicit", ""},
	"CAPABILITY":                      {"clear", "* OK hi"},
	"CAPABILITY under TLS":            {"implicit", "TLS/* OK hi"},
	"the list":                        {"clear", "* OK hi/</* 1 EXISTS"},
	"STARTTLS":                        {"STARTTLS", "* OK hi"},
	"answer to STARTTLS":              {"STARTTLS", "* OK hi/<"},
	"handshake after STARTTLS":        {"STARTTLS", "* OK hi/</A1 OK go"},
	"CAPABILITY after STARTTLS":       {"STARTTLS", "* OK hi/</A1 OK go/TLS"},
	"AUTHENTICATE":                    {"clear", listsPLAIN},
	"AUTHENTICATE under TLS":          {"implicit", "TLS/" + listsPLAIN},
	"answer to AUTHENTICATE":          {"clear", listsPLAIN + "/<"},
	"the message":                     {"clear", listsPLAIN + "/</+ "},
	"answer to the message":           {"clear", listsPLAIN + "/</+ /<"},
	"answer to the message under TLS": {"implicit", "TLS/" + listsPLAIN + "/</+ /<"},
	"literal":                         {"clear", listsPLAIN + "/</* X {5}"},
	"after BYE":                       {"clear", listsPLAIN + "/</* BYE busy"},
	"abort":                           {"clear", listsPLAIN + "/</+ go ahead"},
	"answer to the abort":             {"clear", listsPLAIN + "/</+ go ahead/<"},
	"deferred":                        {"clear", listsSASLIR + "/</A1 BAD what"},
	"LOGIN":                           {"LOGIN", listsNothing},
	"answer to LOGIN":                 {"LOGIN", listsNothing + "/<"},
	"the literal of LOGIN":            {"LOGIN", listsNothing + "/</+ "},
	"answer to the literal":           {"LOGIN", listsNothing + "/</+ /<"},
	"existing, greeting":              {"existing", ""},
	"existing, CAPABILITY":            {"existing", listsPLAIN},
	"existing, the list":              {"existing", listsPLAIN + "/<"},
	"existing, AUTHENTICATE":          {"existing", listsPLAIN + "/</* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nT1 OK done"},
	"existing, the message":           {"existing", listsPLAIN + "/</* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nT1 OK done/</+ "},
	"existing, answer":                {"existing", listsPLAIN + "/</* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nT1 OK done/</+ /<"},
}

// TestCancelInEveryState: the end of a context ends the call within 100 ms, in
// whatever state the connection is and even if the server reads nothing. The
// connection has no buffer, so a write waits for the server.
func TestCancelInEveryState(t *testing.T) {
	server, open := openers(t)
	for name, state := range states {
		t.Run(name, func(t *testing.T) {
			near, far := net.Pipe()
			defer near.Close()
			reached := make(chan error, 1)
			go func() { reached <- play(far, server, state.lines) }()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error, 1)
			go func() { ended <- open[state.kind](ctx, near) }()
			select {
			case err := <-reached:
				if err != nil {
					t.Fatal(err)
				}
			case err := <-ended:
				t.Fatalf("too early: %v", err)
			}
			time.Sleep(20 * time.Millisecond) // now the client waits
			began := time.Now()
			cancel()
			select {
			case err := <-ended:
				// The reason for an abort stays.
				if !strings.Contains(name, "abort") && (sasl.ClassOf(err) != sasl.ErrConnection || !errors.Is(err, context.Canceled)) {
					t.Error(err)
				}
			case <-time.After(5 * time.Second):
				near.Close()
				<-ended
			}
			if since := time.Since(began); since > 100*time.Millisecond {
				t.Errorf("after %s", since)
			}
		})
	}
}

// openers returns the ways of making a connection that is then authenticated, and
// the TLS configuration of the server for them.
func openers(t *testing.T) (server *tls.Config, open map[string]func(context.Context, net.Conn) error) {
	certificate, pool := sasltest.Certificate(t, host)
	client := &tls.Config{RootCAs: pool}
	open = map[string]func(context.Context, net.Conn) error{}
	open["clear"] = func(ctx context.Context, conn net.Conn) error { return login(NewConn(ctx, conn, host, nil))(ctx) }
	open["LOGIN"] = func(ctx context.Context, conn net.Conn) error {
		c, err := NewConn(ctx, conn, host, &Options{LoginCommand: true})
		if err == nil {
			_, err = c.Authenticate(ctx, loginClient("tim", "tänstaaf"))
		}
		return err
	}
	open["STARTTLS"] = func(ctx context.Context, conn net.Conn) error {
		return login(NewStartTLS(ctx, conn, host, &Options{TLSConfig: client}))(ctx)
	}
	open["implicit"] = func(ctx context.Context, conn net.Conn) error {
		options := &Options{TLSConfig: client, DialContext: func(context.Context, string, string) (net.Conn, error) { return conn, nil }}
		return login(DialTLS(ctx, host+":993", options))(ctx)
	}
	open["existing"] = func(ctx context.Context, conn net.Conn) error {
		_, err := Authenticate(ctx, imapclient.New(conn, nil), plain, Existing{Secure: true, EqualsSign: true})
		return err
	}
	return &tls.Config{Certificates: []tls.Certificate{certificate}}, open
}

// login returns the login of a connection that was made, or its error.
func login(c *Conn, err error) func(context.Context) error {
	return func(ctx context.Context) error {
		if err == nil {
			_, err = c.Authenticate(ctx, plain)
		}
		return err
	}
}

// play is a server up to the moment from which on it does nothing.
func play(conn net.Conn, config *tls.Config, lines string) error {
	reader := bufio.NewReader(conn)
	for _, line := range strings.Split(lines, "/") {
		var err error
		switch line {
		case "":
		case "TLS":
			secured := tls.Server(conn, config)
			err = secured.Handshake()
			conn, reader = secured, bufio.NewReader(secured)
		case "<":
			_, err = reader.ReadString('\n')
		case "* OK", "x":
			_, err = fmt.Fprint(conn, line)
		default:
			_, err = fmt.Fprint(conn, line+"\r\n")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", line, err)
		}
	}
	return nil
}
