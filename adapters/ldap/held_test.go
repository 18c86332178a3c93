package saslldap_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-ldap/ldap/v3"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	sasl "github.com/saslkit/saslkit/core"
)

// TestHeldTooLong: a request that is held back for longer than SetTimeout says is
// not sent, because its caller has an error already. A later one is sent.
func TestHeldTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := newPeer(t)
		client.SetTimeout(time.Second)
		outcome := bind(t.Context(), client)
		p.rootDSE(mechanisms("PLAIN"))
		request := p.next(ldap.ApplicationBindRequest)
		late := search(client, "dc=late")
		time.Sleep(time.Second) // the limit is over, and the caller gets its error soon
		fresh := search(client, "dc=fresh")
		p.nothing()
		p.say(request.id, result(tagBindResponse, 49, "", nil))
		if got := <-outcome; !errors.Is(got.err, sasl.ErrAuthentication) {
			t.Error(got.err)
		}
		next := p.next(ldap.ApplicationSearchRequest)
		if next.op.Children[0].Value != "dc=fresh" {
			t.Errorf("%v was sent", next.op.Children[0].Value)
		}
		p.entry(next.id, "dc=fresh")
		p.done(next.id)
		if got := <-late; got.err == nil {
			t.Error("the late request has an answer")
		}
		if got := <-fresh; got.err != nil {
			t.Error(got.err)
		}
		p.nothing()
	})
}

// TestHeldUnread: a server that does not read a request that was held back ends the
// connection when the request's time is over, so the request is not sent later.
func TestHeldUnread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		client, err := saslldap.NewConn(t.Context(), near, host, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		client.SetTimeout(time.Second)
		outcome := bind(t.Context(), client)
		w := newWire(far)
		if err := afterBind(w); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		held := search(client, "dc=one")
		synctest.Wait()
		w.send(result(tagBindResponse, 49, "", nil))
		if got := <-outcome; !errors.Is(got.err, sasl.ErrAuthentication) {
			t.Error(got.err)
		}
		got := <-held
		if took := time.Since(start); got.err == nil || !strings.Contains(got.err.Error(), "the server did not read a request") || took != time.Second {
			t.Errorf("after %s: %v", took, got.err)
		}
	})
}

// TestHeldIsBounded: requests of 4 MiB at most are held back. Another is refused,
// with the reason, and the connection stays open.
func TestHeldIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := newPeer(t)
		outcome := bind(t.Context(), client)
		p.rootDSE(mechanisms("PLAIN"))
		request := p.next(ldap.ApplicationBindRequest)
		add := func(octets int) chan error {
			failed := make(chan error, 1)
			go func() {
				r := ldap.NewAddRequest("cn=one", nil)
				r.Attribute("jpegPhoto", []string{strings.Repeat("x", octets)})
				failed <- client.Add(r)
			}()
			return failed
		}
		kept := []chan error{add(1 << 20), add(1 << 20), add(1 << 20)}
		synctest.Wait()
		const words = "unable to send request: temporary error: requests of more than 4 MiB wait for a bind on this connection: send this request again after the bind, or on another connection"
		if err := <-add(1 << 20); err == nil || err.Error() != words {
			t.Error(err)
		}
		// A bind of the library counts too.
		refused := make(chan error, 1)
		go func() { refused <- client.Bind("cn=alice", strings.Repeat("x", 1<<20)) }()
		if err := <-refused; err == nil || err.Error() != words {
			t.Error(err)
		}
		p.say(request.id, result(tagBindResponse, 49, "", nil))
		<-outcome
		for range kept {
			p.say(p.next(ldap.ApplicationAddRequest).id, result(9, 0, "", nil))
		}
		for _, failed := range kept {
			if err := <-failed; err != nil {
				t.Error(err)
			}
		}
		// Now there is room again.
		again := add(3 << 20)
		p.say(p.next(ldap.ApplicationAddRequest).id, result(9, 0, "", nil))
		if err := <-again; err != nil {
			t.Error(err)
		}
		for range 3 {
			outcome = bind(context.Background(), client)
			p.rootDSE(mechanisms("PLAIN"))
			request = p.next(ldap.ApplicationBindRequest)
			held := add(3 << 20)
			p.nothing()
			p.say(request.id, result(tagBindResponse, 49, "", nil))
			<-outcome
			p.say(p.next(ldap.ApplicationAddRequest).id, result(9, 0, "", nil))
			if err := <-held; err != nil {
				t.Error(err)
			}
		}
	})
}

// TestCloseUnread: Close returns although the server does not read, and so does the
// request that waits for it.
func TestCloseUnread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		client, err := saslldap.NewConn(t.Context(), near, host, nil)
		if err != nil {
			t.Fatal(err)
		}
		outcome := search(client, "dc=one")
		synctest.Wait()
		closed := make(chan error, 1)
		go func() { closed <- client.Close() }()
		select {
		case err := <-closed:
			if err != nil || client.Close() != nil {
				t.Error(err)
			}
		case <-time.After(time.Second):
			t.Fatal("Close waits")
		}
		if got := <-outcome; got.err == nil {
			t.Error("the search succeeds")
		}
	})
}
