package saslimap

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// BenchmarkCancel measures from the end of a context to the return of an
// exchange that a server had left without an answer, over TCP.
func BenchmarkCancel(b *testing.B) {
	var waited time.Duration
	for b.Loop() {
		near, far := sasltest.Pair(b)
		c := newConn(near, "", nil)
		c.setCapabilities("IMAP4REV1 SASL-IR AUTH=PLAIN")
		ctx, cancel := context.WithCancel(b.Context())
		cancelled := make(chan time.Time, 1)
		go func() {
			far.Read(make([]byte, 128)) // the client waits from here on
			cancelled <- time.Now()
			cancel()
		}()
		if _, err := c.Authenticate(ctx, plain); sasl.ClassOf(err) != sasl.ErrConnection {
			b.Fatal(err)
		}
		waited += time.Since(<-cancelled)
		far.Close()
	}
	b.ReportMetric(float64(waited.Microseconds())/float64(b.N), "µs/cancel")
}

// BenchmarkDataPath compares reading through a connection that was handed over
// with reading from the connection itself.
func BenchmarkDataPath(b *testing.B) {
	for name, wrap := range map[string]func(net.Conn) net.Conn{
		"handed over": func(conn net.Conn) net.Conn { return &replay{Conn: conn} },
		"itself":      func(conn net.Conn) net.Conn { return conn },
	} {
		b.Run(name, func(b *testing.B) {
			near, far := sasltest.Pair(b)
			defer near.Close()
			go func() {
				defer far.Close()
				block := make([]byte, 64<<10)
				for {
					if _, err := far.Write(block); err != nil {
						return
					}
				}
			}()
			conn, buffer := wrap(near), make([]byte, 4096)
			b.SetBytes(int64(len(buffer)))
			for b.Loop() {
				if _, err := io.ReadFull(conn, buffer); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
