package harness

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
)

// probe describes a port that serves: its greeting, then commands, each with the beginning of the answer or of its last
// line. Then, or before the greeting if TLS is implicit, the port does TLS.
type probe struct {
	port     string
	implicit bool
	dialogue []string
}

func imapProbe(port string) probe {
	return probe{port, false, []string{"* OK ", "a STARTTLS", "a OK "}}
}

func submissionProbe(port string) probe {
	return probe{port, false, []string{"220 ", "EHLO localhost", "250 ", "STARTTLS", "220 "}}
}

func submissionsProbe(port string) probe {
	return probe{port, true, []string{"220 ", "EHLO localhost", "250 "}}
}

// askAll tries ports one after another. A certificate that is not the one the server was given fails too.
func askAll(config *tls.Config, probes ...probe) func(context.Context, addresses) error {
	return func(ctx context.Context, at addresses) error {
		for _, p := range probes {
			if err := p.ask(ctx, at[p.port], config); err != nil {
				return fmt.Errorf("port %s: %w", p.port, err)
			}
		}
		return nil
	}
}

func (p probe) ask(ctx context.Context, address string, config *tls.Config) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	secured := tls.Client(conn, config)
	if p.implicit {
		return p.talk(secured)
	}
	if err := p.talk(conn); err != nil {
		return err
	}
	return secured.HandshakeContext(ctx)
}

func (p probe) talk(conn net.Conn) error {
	lines := bufio.NewReader(conn)
	for i, text := range p.dialogue {
		var err error
		if i%2 == 0 {
			err = expect(lines, text)
		} else {
			_, err = fmt.Fprintf(conn, "%s\r\n", text)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func expect(r *bufio.Reader, prefix string) error {
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return err
		}
		if strings.HasPrefix(line, prefix) {
			return nil
		}
		if !continues(line) {
			return fmt.Errorf("got %q, want %q…", line, prefix)
		}
	}
}

// continues reports whether another line of an SMTP reply follows this one.
func continues(line string) bool { return len(line) > 3 && line[3] == '-' }
