package saslldap_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/go-ldap/ldap/v3"

	sasl "github.com/saslkit/saslkit/core"
)

// TestStrayAnswers: the mux drops answers without a request, of any length, and
// each request gets its own answer.
func TestStrayAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := newPeer(t)
		first, second := search(client, "dc=one"), search(client, "dc=two")
		one, two := p.next(ldap.ApplicationSearchRequest), p.next(ldap.ApplicationSearchRequest)
		if one.op.Children[0].Value != "dc=one" {
			one, two = two, one
		}
		for _, id := range []int64{77, ownID, ownID + 1, 1<<31 - 1} {
			p.entry(id, "dc=stray", attribute("x", string(make([]byte, 40<<10))))
			p.done(id)
			p.say(id, result(tagBindResponse, 0, "", nil))
		}
		p.entry(two.id, "dc=two")
		p.entry(one.id, "dc=one")
		p.done(two.id)
		p.done(one.id)
		if got := <-first; got.dn != "dc=one" || got.err != nil {
			t.Errorf("%+v", got)
		}
		if got := <-second; got.dn != "dc=two" || got.err != nil {
			t.Errorf("%+v", got)
		}
	})
}

// TestStrayAnswerInBind: an answer without a request ends an exchange, and the
// requests that were held back get errors, not the answer of another request.
func TestStrayAnswerInBind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := newPeer(t)
		outcome := bind(t.Context(), client)
		p.rootDSE(mechanisms("PLAIN"))
		p.next(ldap.ApplicationBindRequest)
		held := search(client, "dc=one")
		p.nothing()
		p.say(77, result(tagBindResponse, 0, "", nil))
		if got := <-outcome; !errors.Is(got.err, sasl.ErrProtocol) {
			t.Error(got.err)
		}
		if got := <-held; got.err == nil {
			t.Errorf("%+v", got)
		}
		if !p.closed() {
			t.Error("the connection is open")
		}
	})
}

// TestAbort: a bind request without a mechanism and without credentials ends an
// exchange, and nothing follows it.
func TestAbort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := newPeer(t)
		outcome := bind(t.Context(), client, sasl.SCRAM(sasl.SHA256, sasl.Password("alice", "pencil")))
		p.rootDSE(mechanisms("SCRAM-SHA-256"))
		p.say(p.next(ldap.ApplicationBindRequest).id, result(tagBindResponse, 14, "", []byte("nonsense")))
		end := p.next(ldap.ApplicationBindRequest)
		if choice := end.op.Children[2]; len(choice.Children) != 1 || choice.Children[0].Value != "" {
			t.Error("the request does not abort the exchange")
		}
		p.say(end.id, result(tagBindResponse, 7, "no SASL mechanism provided", nil))
		if got := <-outcome; !errors.Is(got.err, sasl.ErrProtocol) {
			t.Error(got.err)
		}
		p.nothing()
	})
}

// TestAbortTaken: a server has to refuse the request that aborts an exchange. If
// the server accepts it, the connection is out of sync and is closed.
func TestAbortTaken(t *testing.T) {
	for _, code := range []int64{0, 14} {
		synctest.Test(t, func(t *testing.T) {
			client, p := newPeer(t)
			outcome := bind(t.Context(), client, sasl.SCRAM(sasl.SHA256, sasl.Password("alice", "pencil")))
			p.rootDSE(mechanisms("SCRAM-SHA-256"))
			p.say(p.next(ldap.ApplicationBindRequest).id, result(tagBindResponse, 14, "", []byte("nonsense")))
			p.say(p.next(ldap.ApplicationBindRequest).id, result(tagBindResponse, code, "", nil))
			if got := <-outcome; !errors.Is(got.err, sasl.ErrProtocol) {
				t.Error(got.err)
			}
			if !p.closed() {
				t.Errorf("%d: the connection is open", code)
			}
		})
	}
}

// TestLengthInside: a length inside a message that reaches into the next message
// ends the connection, and no request gets an answer of another.
func TestLengthInside(t *testing.T) {
	for name, attributes := range map[string]string{
		"too long":   "\x30\x11\x30\x0f\x04\x01x\x31\x0a\x04\x7fdc=other",
		"indefinite": "\x30\x80\x30\x0f\x04\x01x\x31\x0a\x04\x08dc=other",
	} {
		synctest.Test(t, func(t *testing.T) {
			client, p := newPeer(t)
			first, second := search(client, "dc=one"), search(client, "dc=two")
			one, two := p.next(ldap.ApplicationSearchRequest), p.next(ldap.ApplicationSearchRequest)
			if one.op.Children[0].Value != "dc=one" {
				one, two = two, one
			}
			p.write([]byte("\x30\x20\x02\x01" + string(rune(one.id)) + "\x64\x1b\x04\x06dc=one" + attributes))
			go func() {
				p.conn.Write(message(two.id, result(tagSearchDone, 0, "", nil)))
				p.conn.Write(message(one.id, result(tagSearchDone, 0, string(make([]byte, 200)), nil)))
			}()
			if got := <-first; got.err == nil {
				t.Errorf("%s: %+v", name, got)
			}
			if got := <-second; got.err == nil {
				t.Errorf("%s: %+v", name, got)
			}
			if got := <-bind(t.Context(), client); !errors.Is(got.err, sasl.ErrProtocol) {
				t.Errorf("%s, a bind then: %v", name, got.err)
			}
		})
	}
}

// TestCloseInBind: Close ends a bind of another goroutine.
func TestCloseInBind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := newPeer(t)
		outcome := bind(context.Background(), client)
		p.rootDSE(mechanisms("PLAIN"))
		p.next(ldap.ApplicationBindRequest)
		client.Close()
		if got := <-outcome; !errors.Is(got.err, sasl.ErrConnection) {
			t.Error(got.err)
		}
	})
}

// TestCloseWhileWaiting: Close ends the wait of a bind for earlier answers.
func TestCloseWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := newPeer(t)
		search(client, "dc=one")
		p.next(ldap.ApplicationSearchRequest)
		outcome := bind(context.Background(), client)
		p.rootDSE(mechanisms("PLAIN"))
		p.nothing()
		client.Close()
		if got := <-outcome; !errors.Is(got.err, sasl.ErrConnection) {
			t.Error(got.err)
		}
	})
}

// TestHostileFrames: a message for which the library would wait or allocate without
// limit ends the connection.
func TestHostileFrames(t *testing.T) {
	for name, frame := range map[string]string{
		"2 GiB":             "\x30\x84\x7f\xff\xff\xff\x02\x01\x01\x64",
		"257 MiB":           "\x30\x84\x10\x10\x00\x00\x02\x01\x01\x64",
		"indefinite length": "\x30\x80\x02\x01\x01\x64",
		"negative ID":       "\x30\x0c\x02\x01\xff\x64\x07\x04\x00\x30\x03\x04\x01x",
		"no LDAP":           "HTTP/1.1 400 Bad Request\r\n",
	} {
		synctest.Test(t, func(t *testing.T) {
			client, p := newPeer(t)
			outcome := search(client, "cn=first")
			p.next(ldap.ApplicationSearchRequest)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			go p.conn.Write([]byte(frame)) // the client may not read all of it
			if got := <-outcome; got.err == nil {
				t.Errorf("%s: %+v", name, got)
			}
			runtime.ReadMemStats(&after)
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 16<<20 {
				t.Errorf("%s: %d MiB were allocated", name, grown>>20)
			}
			if got := <-bind(t.Context(), client); !errors.Is(got.err, sasl.ErrProtocol) {
				t.Errorf("%s, a bind then: %v", name, got.err)
			}
		})
	}
}
