package main

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// TestSilence shows when a server counts as silent: after 5 s without an octet, once,
// and not after the server has sent something or the connection is closed.
func TestSilence(t *testing.T) {
	for name, row := range map[string]struct {
		after time.Duration // until the server sends something; 0 = never
		close bool
		want  int
	}{
		"silent":   {0, false, 1},
		"slow":     {4 * time.Second, false, 0},
		"too slow": {6 * time.Second, false, 1},
		"closed":   {0, true, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			near, far := net.Pipe()
			defer far.Close()
			reports := 0
			conn := listenFor(near, func(address string) {
				if address != "pipe" {
					t.Errorf("%s: the address %q", name, address)
				}
				reports++
			})
			go io.ReadFull(conn, make([]byte, 1))
			if row.close {
				conn.Close()
			}
			if row.after > 0 {
				time.Sleep(row.after)
				far.Write([]byte("*"))
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			if reports != row.want {
				t.Errorf("%s: %d reports, want %d", name, reports, row.want)
			}
			conn.Close()
		})
	}
}
