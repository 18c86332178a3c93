package saslimap

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/saslkit/saslkit/channelbinding"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// learn finds out what the connection proves and what the server can do.
func (c *Conn) learn(ctx context.Context) (*Conn, error) {
	err := c.step(ctx, transport.Capabilities, transport.AnswerTimeout(c.options.StepTimeout), func(context.Context) error {
		if c.capabilities != nil || c.preauth {
			return nil
		}
		return c.askCapabilities()
	})
	if err != nil {
		return nil, err
	}
	if c.info, err = serverInfo(c.conn, c.info.Host, &c.options); err != nil {
		transport.Close(c.conn)
		return nil, err
	}
	return c, nil
}

// serverInfo returns what a connection proves and what its options assert.
func serverInfo(conn net.Conn, host string, options *Options) (sasl.ServerInfo, error) {
	info, err := channelbinding.ClientConn(conn, host)
	info.Service = "imap"
	info.Secure = info.Secure || options.Secure
	info.EnforcesBinding = options.EnforcesBinding
	if remote, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		info.Port = remote.Port
	}
	return info, err
}

// askCapabilities asks for the capabilities (RFC 9051 s6.1.1), which neither the
// greeting nor another answer had.
func (c *Conn) askCapabilities() error {
	resp, err := c.command("CAPABILITY")
	if err != nil {
		return err
	}
	if resp.status != "OK" || c.capabilities == nil {
		return fmt.Errorf("%w: the server does not answer CAPABILITY with its capabilities", sasl.ErrProtocol)
	}
	return nil
}

func (c *Conn) setCapabilities(list string) {
	c.capabilities = append([]string{}, strings.Fields(strings.ToUpper(list))...)
	c.fresh = true
}

func (c *Conn) has(capability string) bool { return slices.Contains(c.capabilities, capability) }
