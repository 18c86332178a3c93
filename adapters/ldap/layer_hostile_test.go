package saslldap_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-ldap/ldap/v3"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestLayerOfAnAttacker: data that the layer does not verify ends the connection
// with an ErrSecurity, and none of it reaches go-ldap.
func TestLayerOfAnAttacker(t *testing.T) {
	const unverified = "security error: the security layer does not verify the server's data: "
	flip := func(at int) func(*sealed, []byte) []byte {
		return func(s *sealed, stream []byte) []byte {
			raw := s.wrap(stream)
			raw[at] ^= 1
			return raw
		}
	}
	for name, row := range map[string]struct {
		raw  func(s *sealed, stream []byte) []byte
		want string
	}{
		"a changed checksum": {flip(4), unverified},
		"a changed octet":    {flip(40), unverified},
		"a repeated buffer": {func(s *sealed, stream []byte) []byte {
			raw := s.wrap(stream[:10])
			return append(raw, raw...)
		}, unverified},
		"a missing buffer": {func(s *sealed, stream []byte) []byte {
			s.wrap(stream[:10])
			return s.wrap(stream[10:])
		}, unverified},
		"an empty buffer":        {func(*sealed, []byte) []byte { return make([]byte, 4) }, unverified},
		"a message without it":   {func(_ *sealed, stream []byte) []byte { return stream }, "security error: the server sent a buffer of 806"},
		"the largest length":     {func(*sealed, []byte) []byte { return []byte("\xff\xff\xff\xff") }, "security error: the server sent a buffer of 4294967295 octets, and the security layer allows 4096"},
		"one more than allowed":  {func(*sealed, []byte) []byte { return []byte("\x00\x00\x10\x01") }, "security error: the server sent a buffer of 4097 octets, and the security layer allows 4096"},
		"a cut in the length":    {func(s *sealed, stream []byte) []byte { return s.wrap(stream)[:3] }, "connection error: the server closed the connection: unexpected EOF"},
		"a cut in the protected": {func(s *sealed, stream []byte) []byte { return s.wrap(stream)[:40] }, "connection error: the server closed the connection: unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			client, w, _ := newLayered(t, nil)
			layeredBind(t, client, w, sasltest.Layered{})
			s := w.conn.(*sealed)
			served := make(chan error, 1)
			go func() {
				_, err := w.request()
				if err == nil {
					_, err = s.Conn.Write(row.raw(s, w.found3()))
				}
				if strings.HasPrefix(row.want, "connection") {
					s.Conn.Close()
				} else if n, _ := io.Copy(io.Discard, s.Conn); n > 0 {
					err = fmt.Errorf("the client sent %d octets instead of closing the connection", n)
				}
				served <- err
			}()
			found, err := client.Search(ldap.NewSearchRequest("dc=test", ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, "(cn=*)", nil, nil))
			if err == nil || found != nil && len(found.Entries) > 0 {
				t.Errorf("%v, %+v", err, found)
			}
			if err := <-served; err != nil {
				t.Error(err)
			}
			_, err = client.SASLBind(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Anonymous("")}})
			if err == nil || !strings.HasPrefix(err.Error(), row.want) {
				t.Errorf("%v, want %s", err, row.want)
			}
		})
	}
}

// TestDataBehindOutcome: octets behind an announcement of success belong to the
// layer that it installs. In the layer that it replaces, they are an ErrSecurity.
func TestDataBehindOutcome(t *testing.T) {
	for name, row := range map[string]struct {
		before bool   // a layer is in effect
		text   string // in the announcement; a long one passes the reader's buffer
	}{"the first layer": {false, ""}, "a second layer": {true, ""}, "a second layer, long": {true, strings.Repeat("x", 40<<10)}} {
		t.Run(name, func(t *testing.T) {
			client, w, _ := newLayered(t, nil)
			if row.before {
				layeredBind(t, client, w, sasltest.Layered{MaxProtected: 60 << 10})
			}
			served := make(chan error, 1)
			go func() {
				err := w.answerRootDSE("top")
				_, initial, bound := w.bind()
				layer, proof, invalid := sasltest.ServerLayer(initial)
				if err := errors.Join(err, bound, invalid); err != nil {
					served <- err
					return
				}
				notice := message(0, result(tagExtended, 52, "", nil)) // in the wrong layer, if there is one
				outcome := message(w.id, result(tagBindResponse, 0, row.text, proof))
				if !row.before {
					w.layer = layer
					s := w.seal()
					notice = s.wrap(notice)
					_, err = s.Conn.Write(append(outcome, notice...))
					s.Conn.Close()
				} else {
					_, err = w.conn.Write(append(outcome, notice...))
				}
				served <- err
			}()
			_, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{sasltest.Layered{}}})
			if err := <-served; err != nil {
				t.Fatal(err)
			}
			if row.before && (!errors.Is(err, sasl.ErrSecurity) || !strings.Contains(err.Error(), "behind its announcement of success")) {
				t.Error(err)
			}
			if !row.before && (!errors.Is(err, sasl.ErrTemporary) || !strings.Contains(err.Error(), "the server ends the connection, with result code 52")) {
				t.Error(err) // the notice arrived
			}
		})
	}
}

// slowLast is a mechanism whose check of the last message takes until the context
// ends.
type slowLast struct{}

func (slowLast) Name() string                     { return "X-SLOW" }
func (slowLast) New(sasl.Terms) sasl.Exchange     { return &slowExchange{} }
func (slowLast) Properties() sasl.Properties      { return sasl.Properties{Layers: true, KeepsSecret: true} }
func (*slowExchange) Identity() (i sasl.Identity) { return i }

type slowExchange struct{ steps int }

func (x *slowExchange) Step(ctx context.Context, _ []byte) ([]byte, bool, error) {
	if x.steps++; x.steps == 1 {
		return []byte("i"), false, nil
	}
	<-ctx.Done()
	return nil, false, ctx.Err()
}

// TestReaderWaits: behind the announcement of success nothing is read until the
// outcome is known, and the wait ends with the context.
func TestReaderWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := newPeer(t)
		ctx, cancel := context.WithCancel(t.Context())
		outcome := bind(ctx, client, slowLast{})
		p.rootDSE(mechanisms("X-SLOW"))
		p.say(p.next(ldap.ApplicationBindRequest).id, result(tagBindResponse, 0, "", []byte("last")))
		written := make(chan error, 1)
		go func() {
			_, err := p.conn.Write(make([]byte, 64<<10)) // more than the reader's buffer
			written <- err
		}()
		synctest.Wait()
		select {
		case err := <-written:
			t.Errorf("the octets behind success were read: %v", err)
		default:
		}
		cancel()
		if got := <-outcome; !errors.Is(got.err, context.Canceled) || !errors.Is(got.err, sasl.ErrConnection) {
			t.Error(got.err)
		}
		if err := <-written; err == nil {
			t.Error("the octets behind success were read after the end")
		}
	})
}

// TestNoLayer: with NoLayer or with Secure the run demands no
// layer, and one that negotiates a layer nevertheless does not log in.
func TestNoLayer(t *testing.T) {
	for name, options := range map[string]*saslldap.Options{"excluded": {Layer: sasl.NoLayer}, "asserted": {Secure: true}} {
		client, w, _ := newLayered(t, options)
		served := make(chan error, 1)
		go func() {
			err := w.answerRootDSE("top")
			_, initial, bound := w.bind()
			_, proof, invalid := sasltest.ServerLayer(initial)
			served <- errors.Join(err, bound, invalid, w.send(result(tagBindResponse, 14, "", proof)))
		}()
		allow := func(sasl.Candidate) error { return nil }
		_, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{sasltest.Layered{Strength: sasl.ConfidentialityLayer}}, Allow: allow})
		if served := <-served; !errors.Is(err, sasl.ErrSecurity) || served != nil {
			t.Errorf("%s: %v, %v", name, err, served)
		}
	}
}

// TestLayerUnderLoad: eight goroutines share a connection with small buffers.
func TestLayerUnderLoad(t *testing.T) {
	client, w, conn := newLayered(t, nil)
	conn.SetReadDeadline(time.Now().Add(time.Minute)) // on a busy machine
	w.conn.SetDeadline(time.Now().Add(time.Minute))
	layeredBind(t, client, w, sasltest.Layered{MaxProtected: 50})
	const each = 25
	served := make(chan error, 1)
	go func() {
		var failed error
		for range 8 * each {
			_, err := w.request()
			if err == nil {
				_, err = w.conn.Write(w.found3())
			}
			failed = errors.Join(failed, err)
		}
		served <- failed
	}()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range each {
				found, err := client.Search(ldap.NewSearchRequest("dc=test", ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, "(cn=*)", nil, nil))
				if err != nil || !slices.ContainsFunc(found.Entries, func(e *ldap.Entry) bool { return e.DN == "cn=three" }) {
					t.Errorf("%v, %+v", err, found)
				}
			}
		})
	}
	group.Wait()
	if err := <-served; err != nil {
		t.Error(err)
	}
}
