package integration

import (
	"bufio"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// relayPlain stands in front of a server and rewrites the lines that it says
// before the client speaks TLS, which passes as it is.
func relayPlain(t *testing.T, server string, rewrite func(line string) string) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var relays sync.WaitGroup
	relays.Go(func() {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		defer client.Close()
		upstream, err := net.Dial("tcp", server)
		if err != nil {
			return
		}
		relays.Go(func() {
			io.Copy(upstream, client)
			upstream.Close()
		})
		lines := bufio.NewReader(upstream)
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			io.WriteString(client, rewrite(line))
			if strings.Contains(line, " OK ") && strings.Contains(line, "TLS") && !strings.HasPrefix(line, "*") {
				break
			}
		}
		io.Copy(client, lines)
	})
	t.Cleanup(func() {
		listener.Close()
		relays.Wait()
	})
	return listener.Addr().String()
}
