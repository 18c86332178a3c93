package saslldap_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	sasl "github.com/saslkit/saslkit/core"
)

// TestBindWaits: a bind abandons the requests before it (RFC 4511 s4.2.1), so the
// client sends it after their answers, and later requests after its own answer.
func TestBindWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := newPeer(t)
		first, second := search(client, "dc=one"), search(client, "dc=two")
		one, two := p.next(ldap.ApplicationSearchRequest), p.next(ldap.ApplicationSearchRequest)
		if one.op.Children[0].Value != "dc=one" {
			one, two = two, one
		}
		outcome := bind(t.Context(), client)
		p.rootDSE(mechanisms("PLAIN"))
		p.nothing() // the bind waits
		third := search(client, "dc=three")
		p.nothing() // the bind would abandon a request

		p.entry(two.id, "dc=two")
		p.done(two.id)
		p.nothing()
		p.entry(one.id, "dc=one")
		p.done(one.id)

		request := p.next(ldap.ApplicationBindRequest)
		p.nothing()
		p.say(request.id, result(tagBindResponse, 0, "", nil))
		p.rootDSE(mechanisms("PLAIN"))
		three := p.next(ldap.ApplicationSearchRequest) // under the identity that is verified
		p.entry(three.id, "dc=three")
		p.done(three.id)

		if got := <-outcome; got.err != nil || got.result != (sasl.Result{Mechanism: "PLAIN", Username: "alice", RoundTrips: 1}) {
			t.Errorf("%+v", got)
		}
		for want, c := range map[string]chan found{"dc=one": first, "dc=two": second, "dc=three": third} {
			if got := <-c; got.dn != want || got.err != nil {
				t.Errorf("%s: %+v", want, got)
			}
		}
	})
}

// TestBindsTakeTurns: one of two binds that begin together waits for the other,
// until its context ends.
func TestBindsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := newPeer(t)
		first := bind(t.Context(), client)
		root := p.next(ldap.ApplicationSearchRequest)
		ctx, cancel := context.WithCancel(t.Context())
		second, third := bind(ctx, client), bind(t.Context(), client)
		p.nothing()
		cancel()
		if got := <-second; !errors.Is(got.err, sasl.ErrConnection) || !errors.Is(got.err, context.Canceled) {
			t.Error(got.err)
		}
		p.entry(root.id, "", mechanisms("PLAIN"))
		p.done(root.id)
		p.say(p.next(ldap.ApplicationBindRequest).id, result(tagBindResponse, 49, "", nil))
		p.rootDSE(mechanisms("PLAIN")) // for the third bind
		p.say(p.next(ldap.ApplicationBindRequest).id, result(tagBindResponse, 0, "", nil))
		p.rootDSE(mechanisms("PLAIN"))
		if got := <-first; !errors.Is(got.err, sasl.ErrAuthentication) {
			t.Error(got.err)
		}
		if got := <-third; got.err != nil {
			t.Error(got.err)
		}
	})
}

// TestEndedBefore: a context that ended before the bind closes the connection,
// every time.
func TestEndedBefore(t *testing.T) {
	for range 10 {
		synctest.Test(t, func(t *testing.T) {
			client, p := newPeer(t)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if got := <-bind(ctx, client); !errors.Is(got.err, sasl.ErrConnection) || !errors.Is(got.err, context.Canceled) {
				t.Error(got.err)
			}
			synctest.Wait()
			if !client.IsClosing() {
				t.Error("the connection is open")
			}
			p.nothing()
		})
	}
}

// TestBindGivesUpWaiting: a context that ends during the wait for earlier answers
// leaves the connection and its other requests alone.
func TestBindGivesUpWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := newPeer(t)
		first := search(client, "dc=one")
		one := p.next(ldap.ApplicationSearchRequest)
		ctx, cancel := context.WithCancel(t.Context())
		outcome := bind(ctx, client)
		p.rootDSE(mechanisms("PLAIN"))
		p.nothing() // the bind waits
		second := search(client, "dc=two")
		p.nothing()
		cancel()
		if got := <-outcome; !errors.Is(got.err, sasl.ErrConnection) || !errors.Is(got.err, context.Canceled) {
			t.Error(got.err)
		}
		two := p.next(ldap.ApplicationSearchRequest)
		p.entry(one.id, "dc=one")
		p.done(one.id)
		p.entry(two.id, "dc=two")
		p.done(two.id)
		if got := <-first; got.dn != "dc=one" || got.err != nil {
			t.Errorf("%+v", got)
		}
		if got := <-second; got.dn != "dc=two" || got.err != nil {
			t.Errorf("%+v", got)
		}
	})
}

// TestBindDoesNotWait: a bind waits neither for a request without an answer nor for
// an answer after its last part.
func TestBindDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := newPeer(t)
		outcome := search(client, "dc=one")
		one := p.next(ldap.ApplicationSearchRequest)
		binding := bind(t.Context(), client)
		p.rootDSE(mechanisms("PLAIN"))
		p.entry(one.id, "dc=one")
		reference := ber.Encode(ber.ClassApplication, ber.TypeConstructed, 19, nil, "")
		reference.AppendChild(octets("ldap://other.example.org/dc=one"))
		p.say(one.id, reference)
		p.say(one.id, ber.Encode(ber.ClassApplication, ber.TypeConstructed, 25, nil, "")) // an intermediate response
		p.nothing()
		p.done(one.id)
		<-outcome
		p.say(p.next(ldap.ApplicationBindRequest).id, result(tagBindResponse, 49, "", nil))
		if got := <-binding; !errors.Is(got.err, sasl.ErrAuthentication) {
			t.Error(got.err)
		}
	})
}

// TestLibraryBinds: the library's own bind waits for answers too, and ours waits
// for the library's. The library's bind ends a persistent search.
func TestLibraryBinds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := newPeer(t)
		endless := search(client, "dc=endless", ldap.NewControlMicrosoftNotification())
		p.next(ldap.ApplicationSearchRequest)
		first := search(client, "dc=one")
		one := p.next(ldap.ApplicationSearchRequest)
		simple := make(chan error, 1)
		go func() { simple <- client.Bind("cn=alice", "pencil") }()
		p.nothing() // the bind waits
		second := search(client, "dc=two")
		outcome := bind(t.Context(), client)
		p.nothing()
		p.entry(one.id, "dc=one")
		p.done(one.id)
		request := p.next(ldap.ApplicationBindRequest)
		if request.op.Children[1].Value != "cn=alice" {
			t.Errorf("the bind of %q comes first", request.op.Children[1].Value)
		}
		p.nothing()
		p.say(request.id, result(tagBindResponse, 0, "", nil))
		two := p.next(ldap.ApplicationSearchRequest)
		p.entry(two.id, "dc=two")
		p.done(two.id)
		p.rootDSE(mechanisms("PLAIN"))
		p.say(p.next(ldap.ApplicationBindRequest).id, result(tagBindResponse, 49, "", nil))
		if err := <-simple; err != nil {
			t.Error(err)
		}
		if got := <-outcome; !errors.Is(got.err, sasl.ErrAuthentication) {
			t.Error(got.err)
		}
		for want, c := range map[string]chan found{"dc=one": first, "dc=two": second} {
			if got := <-c; got.dn != want || got.err != nil {
				t.Errorf("%s: %+v", want, got)
			}
		}
		client.Close()
		<-endless
	})
}

// TestServerInfoWaits: ServerInfo waits for the end of a bind, and that wait does not
// use up StepTimeout.
func TestServerInfoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := newPeerOf(t, &saslldap.Options{Secure: true, StepTimeout: time.Second})
		search(client, "dc=one")
		one := p.next(ldap.ApplicationSearchRequest)
		outcome := bind(t.Context(), client)
		p.rootDSE(mechanisms("PLAIN"))
		p.nothing() // the bind waits
		failed := make(chan error, 1)
		go func() {
			_, err := client.ServerInfo(t.Context())
			failed <- err
		}()
		time.Sleep(time.Hour)
		p.nothing()
		p.done(one.id)
		p.say(p.next(ldap.ApplicationBindRequest).id, result(tagBindResponse, 0, "", nil))
		p.rootDSE(mechanisms("PLAIN"))
		if got := <-outcome; got.err != nil {
			t.Error(got.err)
		}
		p.rootDSE(mechanisms("PLAIN"))
		if err := <-failed; err != nil {
			t.Error(err)
		}
	})
}
