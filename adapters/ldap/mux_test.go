package saslldap_test

import (
	"context"
	"errors"
	"net"
	"runtime"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	sasl "github.com/saslkit/saslkit/core"
)

var (
	plain = &sasl.Client{
		Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("a", "b"))},
		Allow:      func(string, sasl.ServerInfo) error { return nil },
	}
	hidden = &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Anonymous("x")}}
)

// pair is a Client and the server's side of its connection.
func pair(t *testing.T) (*saslldap.Client, *wire) {
	t.Helper()
	near, far := connect(t)
	client, err := saslldap.NewConn(t.Context(), near, host, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	w := newWire(far)
	w.list = "PLAIN"
	return client, w
}

// connect returns both ends of a connection. Not a net.Pipe: the library does
// not read while it writes.
func connect(t *testing.T) (near, far net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if near, err = net.Dial("tcp", listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if far, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	return near, far
}

// later runs something that returns an error.
func later(f func() error) chan error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return done
}

func search(client *saslldap.Client, base string, controls ...ldap.Control) chan error {
	return later(func() error {
		found, err := client.Search(ldap.NewSearchRequest(base, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", nil, controls))
		if err == nil && (len(found.Entries) != 1 || found.Entries[0].DN != base) {
			return errors.New("the answer to another search")
		}
		return err
	})
}

// readSearch reads a search and returns its base and its message ID.
func (w *wire) readSearch(t *testing.T) (base string, id int64) {
	t.Helper()
	op, err := w.request()
	if err != nil || op.Tag != ldap.ApplicationSearchRequest {
		t.Fatalf("no search: %+v, %v", op, err)
	}
	return op.Children[0].Value.(string), w.id
}

// answerSearch answers a search with an entry of the name of its base.
func (w *wire) answerSearch(t *testing.T, id int64, base string) {
	t.Helper()
	entry := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tagSearchEntry, nil, "")
	entry.AppendChild(octets(base))
	entry.AppendChild(ber.NewSequence(""))
	w.id = id
	if err := errors.Join(w.send(entry), w.send(result(tagSearchDone, 0, "", nil))); err != nil {
		t.Fatal(err)
	}
}

// await waits until something holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(what)
		}
	}
}

func check(t *testing.T, what string, done chan error) {
	t.Helper()
	if err := <-done; err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

func saslBind(client *saslldap.Client, ctx context.Context) chan error {
	return later(func() error {
		_, err := client.SASLBind(ctx, plain)
		return err
	})
}

// serveBind reads a bind request and accepts it.
func (w *wire) serveBind(t *testing.T) {
	t.Helper()
	if mechanism, _, err := w.bind(); err != nil || mechanism != "PLAIN" {
		t.Fatalf("no bind: %q, %v", mechanism, err)
	}
	if err := w.Succeed(nil); err != nil {
		t.Fatal(err)
	}
}

// TestBindWaits: for the answer to a search that was sent before, while one
// that comes later waits for the bind.
func TestBindWaits(t *testing.T) {
	client, w := pair(t)
	first := search(client, "cn=first")
	base, id := w.readSearch(t)
	bound := saslBind(client, t.Context())
	if err := w.answerRootDSE(); err != nil {
		t.Fatal(err)
	}
	// It may come before the bind holds what comes.
	await(t, "only the first search is outstanding", func() bool { return saslldap.Outstanding(client) == 1 })
	second := heldSearch(t, client, w, "cn=second")
	w.answerSearch(t, id, base)
	check(t, "the first search", first)
	if _, _, err := w.bind(); err != nil {
		t.Fatal(err)
	}
	if err := w.send(result(tagBindResponse, 0, "", nil)); err != nil {
		t.Fatal(err)
	}
	base, id = w.readSearch(t)
	if base != "cn=second" {
		t.Errorf("the next search is for %s", base)
	}
	w.answerSearch(t, id, base)
	check(t, "the second search", second)
	if err := w.answerRootDSE(); err != nil {
		t.Fatal(err)
	}
	check(t, "the bind", bound)
}

// heldSearch searches until that is held back; what is not yet is answered.
func heldSearch(t *testing.T, client *saslldap.Client, w *wire, base string) chan error {
	t.Helper()
	await(t, "nothing is held back", func() bool { return saslldap.Holding(client) })
	done := search(client, base)
	await(t, "the search is not held back", func() bool { return saslldap.Held(client) == 1 })
	return done
}

// TestLibraryBindWaits: so does a bind of the library's own.
func TestLibraryBindWaits(t *testing.T) {
	client, w := pair(t)
	first := search(client, "cn=first")
	base, id := w.readSearch(t)
	bound := later(func() error { return client.Bind("cn=a", "b") })
	second := heldSearch(t, client, w, "cn=second")
	w.answerSearch(t, id, base)
	check(t, "the first search", first)
	if op, err := w.request(); err != nil || op.Tag != ldap.ApplicationBindRequest {
		t.Fatalf("no bind: %+v, %v", op, err)
	}
	if err := w.send(result(tagBindResponse, 0, "", nil)); err != nil {
		t.Fatal(err)
	}
	check(t, "the bind", bound)
	base, id = w.readSearch(t)
	w.answerSearch(t, id, base)
	check(t, "the second search", second)
}

// TestWaitEnds: a context that ends while the bind waits ends the bind alone.
func TestWaitEnds(t *testing.T) {
	client, w := pair(t)
	first := search(client, "cn=first")
	base, id := w.readSearch(t)
	ctx, cancel := context.WithCancel(t.Context())
	bound := saslBind(client, ctx)
	if err := w.answerRootDSE(); err != nil {
		t.Fatal(err)
	}
	await(t, "nothing is held back", func() bool { return saslldap.Holding(client) })
	cancel()
	if err := <-bound; !errors.Is(err, sasl.ErrConnection) || !errors.Is(err, context.Canceled) {
		t.Errorf("the bind: %v", err)
	}
	w.answerSearch(t, id, base)
	check(t, "the search", first)
	bound = saslBind(client, t.Context())
	if err := w.answerRootDSE(); err != nil {
		t.Fatal(err)
	}
	w.serveBind(t)
	check(t, "another bind", bound)
}

// TestPersistentSearch: one that has no last answer is in the way.
func TestPersistentSearch(t *testing.T) {
	for name, row := range map[string]struct {
		control ldap.Control
		endless bool
	}{
		"persistent search":  {ldap.NewControlString("2.16.840.1.113730.3.4.3", true, "\x30\x09\x02\x01\x0f\x01\x01\xff\x01\x01\xff"), true},
		"notification":       {ldap.NewControlString("1.2.840.113556.1.4.528", true, ""), true},
		"refreshAndPersist":  {ldap.NewControlSyncRequest(ldap.SyncRequestModeRefreshAndPersist, nil, false), true},
		"refreshOnly":        {ldap.NewControlSyncRequest(ldap.SyncRequestModeRefreshOnly, nil, false), false},
		"another that is so": {ldap.NewControlString("1.2.3.4", false, "2.16.840.1.113730.3.4.3"), false},
	} {
		client, w := pair(t)
		running := search(client, "cn=x", row.control)
		base, id := w.readSearch(t)
		bound := saslBind(client, t.Context())
		if err := w.answerRootDSE(); err != nil {
			t.Fatal(err)
		}
		if row.endless {
			if err := <-bound; !errors.Is(err, sasl.ErrConfig) {
				t.Errorf("%s: %v", name, err)
			}
			if w.answerSearch(t, id, base); <-running != nil {
				t.Errorf("%s: the search is lost", name)
			}
			continue
		}
		w.answerSearch(t, id, base)
		check(t, name, running)
		w.serveBind(t)
		check(t, name, bound)
	}
}

// TestStrayAnswers: what is for nobody is dropped, and the next answer is the
// right one.
func TestStrayAnswers(t *testing.T) {
	client, w := pair(t)
	done := search(client, "cn=first")
	base, id := w.readSearch(t)
	for _, stray := range []int64{ownID, ownID + 7, 4711} {
		w.id = stray
		if err := w.send(result(tagBindResponse, 0, "", nil)); err != nil {
			t.Fatal(err)
		}
	}
	w.answerSearch(t, id, base)
	check(t, "the search", done)
}

// TestHostileFrames: what the library would wait or make room for ends the
// connection.
func TestHostileFrames(t *testing.T) {
	for name, bytes := range map[string]string{
		"2 GiB":             "\x30\x84\x7f\xff\xff\xff\x02\x01\x01\x64",
		"indefinite length": "\x30\x80\x02\x01\x01\x64",
		"no LDAP":           "HTTP/1.1 400 Bad Request\r\n",
	} {
		client, w := pair(t)
		done := search(client, "cn=first")
		w.readSearch(t)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		go w.conn.Write([]byte(bytes))
		if err := <-done; err == nil {
			t.Errorf("%s: no error", name)
		}
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 16<<20 {
			t.Errorf("%s: %d MiB were allocated", name, grown>>20)
		}
		if _, err := client.SASLBind(t.Context(), plain); !errors.Is(err, sasl.ErrProtocol) {
			t.Errorf("%s, a bind then: %v", name, err)
		}
	}
}

// TestNoMechanisms: a root DSE that cannot be read, or has no list.
func TestNoMechanisms(t *testing.T) {
	client, w := pair(t)
	bound := later(func() error { _, err := client.SASLBind(t.Context(), hidden); return err })
	if _, id := w.readSearch(t); id < 1 {
		t.Errorf("message ID %d", id)
	}
	if err := w.send(result(tagSearchDone, ldap.LDAPResultInsufficientAccessRights, "no", nil)); err != nil {
		t.Fatal(err)
	}
	if err := <-bound; !errors.Is(err, sasl.ErrPolicy) {
		t.Errorf("not readable: %v", err)
	}
}
