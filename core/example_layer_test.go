package sasl_test

import (
	"context"
	"encoding/binary"
	"fmt"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// layeredConn is the Interface of a protocol that can carry a security layer. Its
// server is in memory.
type layeredConn struct {
	layer, server sasl.Layer
}

func (c *layeredConn) Initiate(_ context.Context, _ string, initial []byte) (reply sasl.Reply, err error) {
	c.server, reply.Data, err = sasltest.ServerLayer(initial)
	reply.Done = true
	return reply, err
}

func (c *layeredConn) Respond(context.Context, []byte) (sasl.Reply, error) {
	return sasl.Reply{}, fmt.Errorf("%w: an unexpected response", sasl.ErrProtocol)
}

func (c *layeredConn) Abort(context.Context) error { return nil }
func (c *layeredConn) Close() error                { return nil }

// InstallLayer keeps the layer for everything that is sent from now on.
func (c *layeredConn) InstallLayer(layer sasl.Layer) {
	if layer != nil {
		c.layer = layer
	}
}

// frame returns the buffers for a message of the protocol (RFC 4422 s3.7).
func (c *layeredConn) frame(message []byte) (raw []byte, err error) {
	for len(message) > 0 {
		n := min(len(message), c.layer.MaxPlain())
		protected, err := c.layer.Wrap(message[:n])
		if err != nil {
			return nil, err
		}
		raw = binary.BigEndian.AppendUint32(raw, uint32(len(protected)))
		raw = append(raw, protected...)
		message = message[n:]
	}
	return raw, nil
}

// An adapter that can carry a security layer says so in its ServerInfo. It gets the
// layer after the verified success.
func ExampleLayerInterface() {
	conn := &layeredConn{}
	client := &sasl.Client{Mechanisms: []sasl.Mechanism{sasltest.Layered{}}}
	result, err := client.Authenticate(context.Background(), conn, sasl.ServerInfo{
		Host: "example.org", Mechanisms: []string{"X-TEST"}, SuccessData: true, CarriesLayer: true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	raw, err := conn.frame([]byte("a request"))
	if err != nil {
		fmt.Println(err)
		return
	}
	plain, err := conn.server.Unwrap(raw[4:])
	fmt.Printf("%s: %d octets, %s %v\n", result.Layer, len(raw), plain, err)
	// Output: confidentiality: 45 octets, a request <nil>
}
