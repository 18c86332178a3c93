package sasltest

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// Scripted returns a connection to a server that speaks a protocol of lines. The
// server sends its lines, with these exceptions: for a line that begins with "<",
// the server waits for the rest of this line from the client. For "~", the server
// waits for any octet. For "!", the server closes the connection. After the last
// line, the server keeps the connection open until the client closes. The end of
// the test waits for that. A connection that is open for more than eight seconds
// fails the test, and the server closes it.
func Scripted(tb testing.TB, lines ...string) net.Conn {
	tb.Helper()
	near, far := Pair(tb)
	far.SetDeadline(time.Now().Add(8 * time.Second)) // a client that waits for ever is a failure, not a hang
	done := make(chan struct{})
	go func() {
		defer close(done)
		reader := bufio.NewReader(far)
		for _, line := range lines {
			switch line {
			case "~":
				reader.ReadByte()
				continue
			case "!":
				far.Close()
				continue
			}
			want, isWanted := strings.CutPrefix(line, "<")
			if !isWanted {
				io.WriteString(far, line+"\r\n")
				continue
			}
			if got, err := reader.ReadString('\n'); got != want+"\r\n" {
				tb.Errorf("the client sent %.80q, %v, want %.80q", got, err, want)
				far.Close() // the client must not wait for the remaining lines
				return
			}
		}
		if _, err := io.Copy(io.Discard, reader); errors.Is(err, os.ErrDeadlineExceeded) {
			tb.Error("the connection is open after eight seconds; the client waits")
		}
		far.Close()
	}()
	tb.Cleanup(func() {
		near.Close()
		<-done
	})
	return near
}
