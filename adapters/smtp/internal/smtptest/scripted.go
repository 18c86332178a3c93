package smtptest

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
)

// Scripted is a server that says its lines: one that begins with "<" is what
// it waits for from the client. After the last it holds the connection until
// the client closes.
func Scripted(t *testing.T, lines ...string) net.Conn {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	near, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		reader := bufio.NewReader(far)
		for _, line := range lines {
			want, isWanted := strings.CutPrefix(line, "<")
			if !isWanted {
				io.WriteString(far, line+"\r\n")
				continue
			}
			if got, err := reader.ReadString('\n'); got != want+"\r\n" {
				t.Errorf("the client sent %.80q, %v, want %.80q", got, err, want)
				break
			}
		}
		io.Copy(io.Discard, reader)
		far.Close()
	}()
	t.Cleanup(func() {
		near.Close()
		<-done
	})
	return near
}
