package sasltest

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
)

// Scripted returns a connection to a server of a protocol of lines that says
// its own: one that begins with "<" is what it waits for from the client, and
// "~" any octet; at "!" it hangs up. After the last it holds the connection
// until the client closes, which it waits for at the end of the test.
func Scripted(tb testing.TB, lines ...string) net.Conn {
	tb.Helper()
	near, far := Pair(tb)
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
				far.Close() // the client must not wait for the rest
				return
			}
		}
		io.Copy(io.Discard, reader)
		far.Close()
	}()
	tb.Cleanup(func() {
		near.Close()
		<-done
	})
	return near
}
