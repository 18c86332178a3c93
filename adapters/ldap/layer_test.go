package saslldap_test

import (
	"bytes"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// recorded is a connection that records what is written.
type recorded struct {
	net.Conn
	mu    sync.Mutex
	wrote []byte
}

func (r *recorded) Write(b []byte) (int, error) {
	r.mu.Lock()
	r.wrote = append(r.wrote, b...)
	r.mu.Unlock()
	return r.Conn.Write(b)
}

// newLayered returns a client and a server of sasltest.Layered.
func newLayered(t *testing.T, options *saslldap.Options) (*saslldap.Client, *wire, *recorded) {
	t.Helper()
	near, far := sasltest.Pair(t)
	far.SetDeadline(time.Now().Add(3 * time.Second))
	near.SetReadDeadline(time.Now().Add(3 * time.Second)) // so a test fails instead of waiting
	conn := &recorded{Conn: near}
	client, err := saslldap.NewConn(t.Context(), conn, host, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		far.Close()
	})
	w := newWire(far)
	w.list = "X-TEST"
	return client, w, conn
}

// accept answers a bind with sasltest.Layered.
func (w *wire) accept() error {
	if err := w.answerRootDSE("top"); err != nil {
		return err
	}
	_, initial, err := w.bind()
	if err != nil {
		return err
	}
	var proof []byte
	if w.layer, proof, err = sasltest.ServerLayer(initial); err != nil {
		return err
	}
	return w.Succeed(proof)
}

// layeredBind logs in with a layer, and fails the test if that fails.
func layeredBind(t *testing.T, client *saslldap.Client, w *wire, m sasltest.Layered) sasl.Result {
	t.Helper()
	served := make(chan error, 1)
	go func() { served <- w.accept() }()
	result, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{m}})
	if err := errors.Join(err, <-served); err != nil {
		t.Fatal(err)
	}
	return result
}

// found3 is the answer to a search with three entries.
func (w *wire) found3() (stream []byte) {
	for _, dn := range []string{"cn=one", "cn=two", "cn=three"} {
		entry := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tagSearchEntry, nil, "")
		entry.AppendChild(octets(dn))
		entry.AppendChild(ber.NewSequence("")) // no attributes
		stream = append(stream, message(w.id, entry)...)
	}
	return append(stream, message(w.id, result(tagSearchDone, 0, "", nil))...)
}

// searchServed makes a search, which the server answers.
func searchServed(t *testing.T, client *saslldap.Client, w *wire) {
	t.Helper()
	served := make(chan error, 1)
	go func() {
		_, err := w.request()
		if err == nil {
			_, err = w.conn.Write(w.found3())
		}
		served <- err
	}()
	_, err := client.Search(ldap.NewSearchRequest("dc=test", ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, "(cn=*)", nil, nil))
	if err := errors.Join(err, <-served); err != nil {
		t.Fatal(err)
	}
}

// TestLayer: after the bind every octet of both directions goes through the layer,
// whatever the maximum of a buffer is and however the server cuts its messages.
func TestLayer(t *testing.T) {
	inBuffers := func(size int) func(*sealed, []byte) []byte {
		return func(s *sealed, stream []byte) (raw []byte) {
			for piece := range slices.Chunk(stream, size) {
				raw = append(raw, s.wrap(piece)...)
			}
			return raw
		}
	}
	for name, row := range map[string]struct {
		most int
		cut  func(s *sealed, stream []byte) []byte
	}{
		"an octet in a buffer": {33, inBuffers(1)},
		"small buffers":        {100, inBuffers(68)},
		"empty buffers": {100, func(s *sealed, stream []byte) []byte {
			return slices.Concat(s.wrap(nil), s.wrap(stream[:10]), s.wrap(nil), s.wrap(nil), inBuffers(68)(s, stream[10:]))
		}},
		"all messages in a buffer": {4096, inBuffers(4096)},
		"more than the maximum of the reader": {1 << 20, func(s *sealed, stream []byte) []byte {
			return s.wrap(stream)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			client, w, conn := newLayered(t, nil)
			if r := layeredBind(t, client, w, sasltest.Layered{MaxProtected: row.most}); r.Layer != sasl.ConfidentialityLayer {
				t.Errorf("the Result is %+v", r)
			}
			s, mark := w.conn.(*sealed), len(conn.wrote)
			base := "dc=" + strings.Repeat("a", 300)
			served := make(chan error, 1)
			s.buffers = nil
			go func() {
				_, err := w.request()
				if err == nil {
					_, err = s.Conn.Write(row.cut(s, w.found3()))
				}
				served <- err
			}()
			found, err := client.Search(ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, "(cn=*)", nil, nil))
			if err := errors.Join(err, <-served); err != nil || len(found.Entries) != 3 || found.Entries[2].DN != "cn=three" {
				t.Fatalf("%v, %+v", err, found)
			}
			const octets = 339 // of the request
			want := slices.Repeat([]int{row.most}, octets/(row.most-32))
			if rest := octets % (row.most - 32); rest > 0 {
				want = append(want, rest+32)
			}
			if !slices.Equal(s.buffers, want) {
				t.Errorf("the buffers of the request have %d octets, want %d", s.buffers, want)
			}
			if bytes.Contains(conn.wrote[mark:], []byte("dc=")) || bytes.Contains(conn.wrote[mark:], []byte("aaaa")) {
				t.Error("the request is readable")
			}
		})
	}
}

// TestLayerOfEverything: a simple bind of go-ldap and the unbind go through the
// layer.
func TestLayerOfEverything(t *testing.T) {
	client, w, _ := newLayered(t, nil)
	layeredBind(t, client, w, sasltest.Layered{})
	served := make(chan error, 1)
	go func() {
		op, err := w.request()
		if err == nil && op.Tag != ldap.ApplicationBindRequest {
			err = errors.New("no bind")
		}
		served <- errors.Join(err, w.send(result(tagBindResponse, 0, "", nil)))
	}()
	if err := errors.Join(client.Bind("cn=alice", "pencil"), <-served); err != nil {
		t.Fatal(err)
	}
	go func() {
		op, err := w.request()
		if err == nil && op.Tag != ldap.ApplicationUnbindRequest {
			err = errors.New("no unbind")
		}
		served <- err
	}()
	if err := errors.Join(client.Unbind(), <-served); err != nil {
		t.Fatal(err)
	}
}

// TestLayerIsReplaced: a second bind with a layer replaces the first layer, and one
// without a layer, or one that fails, leaves it (RFC 4422 s3.8).
func TestLayerIsReplaced(t *testing.T) {
	client, w, _ := newLayered(t, &saslldap.Options{Layer: sasl.ConfidentialityLayer})
	layeredBind(t, client, w, sasltest.Layered{MaxProtected: 100})
	first := w.conn
	layeredBind(t, client, w, sasltest.Layered{MaxProtected: 200})
	if w.conn == first {
		t.Fatal("the server has the same layer")
	}
	searchServed(t, client, w)
	refused := make(chan error, 1)
	go func() {
		err := w.answerRootDSE("top")
		if err == nil {
			_, _, err = w.bind()
		}
		refused <- errors.Join(err, w.Refuse(sasl.NotAuthorized))
	}()
	_, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{sasltest.Layered{}}})
	if served := <-refused; !errors.Is(err, sasl.ErrAuthentication) || served != nil {
		t.Fatal(err, served)
	}
	searchServed(t, client, w)
}

// TestBindWithoutLayer: a second bind that negotiates no layer leaves the first
// layer in effect.
func TestBindWithoutLayer(t *testing.T) {
	client, w, _ := newLayered(t, nil)
	layeredBind(t, client, w, sasltest.Layered{})
	w.list = "ANONYMOUS"
	served := make(chan error, 1)
	go func() {
		err := w.answerRootDSE("top")
		if err == nil {
			_, _, err = w.bind()
		}
		served <- errors.Join(err, w.Succeed(nil))
	}()
	_, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Anonymous("")}})
	if err := errors.Join(err, <-served); err != nil {
		t.Fatal(err)
	}
	if _, layered := w.conn.(*sealed); !layered {
		t.Error("the layer is gone")
	}
}
