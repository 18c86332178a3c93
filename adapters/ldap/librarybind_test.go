package saslldap_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-ldap/ldap/v3"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	sasl "github.com/saslkit/saslkit/core"
)

// simpleBind begins a bind of the library.
func simpleBind(client *saslldap.Client) chan error {
	outcome := make(chan error, 1)
	go func() { outcome <- client.Bind("cn=alice", "pencil") }()
	return outcome
}

// TestOverdueBind: if earlier requests have no answer for the time that SetTimeout
// says, else for a minute, the connection is closed with the reason, which the bind,
// the earlier requests and a SASL bind get. The bind is never sent.
func TestOverdueBind(t *testing.T) {
	for _, timeout := range []time.Duration{0, 300 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			client, p := newPeer(t)
			earlier := search(client, "dc=slow")
			p.next(ldap.ApplicationSearchRequest)
			client.SetTimeout(timeout)
			limit := timeout
			if limit == 0 {
				limit = time.Minute
			}
			outcome, start := simpleBind(client), time.Now()
			synctest.Wait()
			waiting := bind(t.Context(), client)
			err := <-outcome
			if took := time.Since(start); took != limit {
				t.Errorf("after %s, want %s", took, limit)
			}
			const words = "connection error: a bind could not be sent, because earlier requests on this connection had no answer within "
			if err == nil || !strings.Contains(err.Error(), words+limit.String()) {
				t.Errorf("the bind: %v", err)
			}
			if got := <-earlier; got.err == nil || !strings.Contains(got.err.Error(), words) {
				t.Errorf("the search: %v", got.err)
			}
			for range 2 { // one that waited, and one that begins later
				got := <-waiting
				if !errors.Is(got.err, sasl.ErrConnection) || !strings.Contains(got.err.Error(), words) {
					t.Errorf("a SASL bind: %v", got.err)
				}
				waiting = bind(t.Context(), client)
			}
			if err := client.Del(ldap.NewDelRequest("dc=one", nil)); err == nil {
				t.Error("the connection is open")
			}
			if !p.closed() { // and nothing came before
				t.Error("a bind was sent, or the connection is open")
			}
		})
	}
}

// TestOverdueBehindBind: the limit is the same if the bind waits for another one.
func TestOverdueBehindBind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := newPeer(t)
		search(client, "dc=slow")
		p.next(ldap.ApplicationSearchRequest)
		bind(t.Context(), client)
		p.rootDSE(mechanisms("PLAIN"))
		p.nothing() // it waits for the search
		client.SetTimeout(time.Second)
		if err := <-simpleBind(client); err == nil || !strings.Contains(err.Error(), "a bind could not be sent") {
			t.Error(err)
		}
		if !p.closed() {
			t.Error("a bind was sent, or the connection is open")
		}
	})
}

// TestBindUnanswered: a bind of the library whose answer is late closes the
// connection, after SetTimeout or else StepTimeout, because nobody knows who is
// authenticated. With neither the connection stays open.
func TestBindUnanswered(t *testing.T) {
	for name, row := range map[string]struct {
		timeout, step time.Duration
		after         time.Duration // 0 = never
	}{
		"SetTimeout":   {time.Second, time.Minute, time.Second},
		"StepTimeout":  {0, 2 * time.Minute, 2 * time.Minute},
		"by default":   {0, 0, 5 * time.Minute},
		"without both": {0, -1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, p := newPeerOf(t, &saslldap.Options{StepTimeout: row.step})
				client.SetTimeout(row.timeout)
				outcome, start := simpleBind(client), time.Now()
				request := p.next(ldap.ApplicationBindRequest)
				if row.after == 0 {
					time.Sleep(time.Hour)
					p.say(request.id, result(tagBindResponse, 0, "", nil))
					if err := <-outcome; err != nil {
						t.Error(err)
					}
					return
				}
				err := <-outcome
				if took := time.Since(start); err == nil || !strings.Contains(err.Error(), "a bind on this connection had no answer within "+row.after.String()) || took != row.after {
					t.Errorf("after %s: %v", took, err)
				}
				if !p.closed() {
					t.Error("the connection is open")
				}
			})
		})
	}
}

// TestSetTimeout: the library's other requests keep their limit, and the connection.
func TestSetTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := newPeer(t)
		client.SetTimeout(time.Second)
		start := time.Now()
		outcome := search(client, "dc=slow")
		slow := p.next(ldap.ApplicationSearchRequest)
		if got := <-outcome; got.err == nil || time.Since(start) > 2*time.Second {
			t.Errorf("after %s: %v", time.Since(start), got.err)
		}
		p.done(slow.id)
		client.SetTimeout(0)
		outcome = search(client, "dc=one")
		one := p.next(ldap.ApplicationSearchRequest)
		time.Sleep(time.Hour)
		p.entry(one.id, "dc=one")
		p.done(one.id)
		if got := <-outcome; got.err != nil || got.dn != "dc=one" {
			t.Errorf("%+v", got)
		}
	})
}

// TestUnbindInBind: an unbind goes out at once, also while a bind holds requests back:
// go-ldap closes the connection behind it.
func TestUnbindInBind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := newPeer(t)
		outcome := bind(t.Context(), client)
		p.rootDSE(mechanisms("PLAIN"))
		p.next(ldap.ApplicationBindRequest)
		if err := client.Unbind(); err != nil {
			t.Error(err)
		}
		p.next(ldap.ApplicationUnbindRequest)
		if got := <-outcome; !errors.Is(got.err, sasl.ErrConnection) {
			t.Error(got.err)
		}
	})
}
