package krb5

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

// TestSlowKDC: after ten seconds, another KDC is asked in place of one that is silent,
// or that sends its answer octet by octet.
func TestSlowKDC(t *testing.T) {
	silent := func(conn net.Conn) { io.Copy(io.Discard, conn) }
	slow := func(conn net.Conn) {
		conn.Read(make([]byte, 1<<16))
		conn.Write([]byte("\x00\x00\x10\x00"))
		for range 1 << 12 {
			time.Sleep(time.Second)
			if _, err := conn.Write([]byte("k")); err != nil {
				return
			}
		}
	}
	for name, first := range map[string]func(net.Conn){"silent": silent, "slow": slow} {
		synctest.Test(t, func(t *testing.T) {
			k := &kdc{dial: map[string]func(net.Conn){"one.test:88": first}}
			l, began := k.login(t), time.Now()
			if _, err := l.withSecret(t.Context(), k.secret()); err != nil || time.Since(began) > 25*time.Second { // for two tickets
				t.Errorf("%s: %v, after %v", name, err, time.Since(began))
			}
			time.Sleep(2 * time.Second) // the slow KDC notices the end
		})
	}
}

// TestManyKDCs: at most 16 KDCs of a realm are tried, because a DNS answer may list more.
func TestManyKDCs(t *testing.T) {
	tried := 0
	k := &kdc{}
	l := k.login(t)
	l.options.DialContext = func(context.Context, string, string) (net.Conn, error) {
		tried++
		return nil, net.ErrClosed
	}
	if _, err := l.configuration(); err != nil {
		t.Fatal(err)
	}
	l.config.kdcs["R.TEST"] = slices.Repeat([]string{"one.test"}, 1000)
	if _, err := l.withSecret(t.Context(), k.secret()); !errors.Is(err, sasl.ErrTemporary) || tried != 16 {
		t.Errorf("%d were tried: %v", tried, err)
	}
}
