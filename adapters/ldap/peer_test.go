package saslldap_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	sasl "github.com/saslkit/saslkit/core"
)

// peer is a server that a test controls message by message, in a bubble of
// testing/synctest: once every goroutine waits, the client has sent all that it is
// going to send.
type peer struct {
	t    *testing.T
	conn net.Conn
	got  chan request
}

type request struct {
	id int64
	op *ber.Packet
}

// newPeer returns a client and its server.
func newPeer(t *testing.T) (*saslldap.Client, *peer) {
	t.Helper()
	return newPeerOf(t, nil)
}

func newPeerOf(t *testing.T, options *saslldap.Options) (*saslldap.Client, *peer) {
	t.Helper()
	near, far := net.Pipe()
	client, err := saslldap.NewConn(t.Context(), near, host, options)
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{t, far, make(chan request, 100)}
	go func() {
		for {
			packet, err := ber.ReadPacket(far)
			if err != nil {
				close(p.got)
				return
			}
			p.got <- request{packet.Children[0].Value.(int64), packet.Children[1]}
		}
	}()
	t.Cleanup(func() {
		client.Close()
		far.Close()
	})
	return client, p
}

// next returns the client's next message, which must be there as soon as every
// goroutine waits, and have this operation.
func (p *peer) next(op ber.Tag) request {
	p.t.Helper()
	synctest.Wait()
	select {
	case r, open := <-p.got:
		if !open {
			p.t.Fatalf("the client closed the connection, want operation %d", op)
		}
		if r.op.Tag != op {
			p.t.Fatalf("the client sent operation %d, want %d", r.op.Tag, op)
		}
		return r
	default:
		p.t.Fatalf("the client sent nothing, want operation %d", op)
	}
	return request{}
}

// nothing verifies that the client has sent no further message.
func (p *peer) nothing() {
	p.t.Helper()
	synctest.Wait()
	select {
	case r, open := <-p.got:
		if open {
			p.t.Fatalf("the client sent operation %d", r.op.Tag)
		}
	default:
	}
}

// closed reports whether the client has closed the connection.
func (p *peer) closed() bool {
	synctest.Wait()
	select {
	case _, open := <-p.got:
		return !open
	default:
		return false
	}
}

func (p *peer) say(id int64, operation *ber.Packet) { p.write(message(id, operation)) }

func (p *peer) write(b []byte) {
	p.t.Helper()
	if _, err := p.conn.Write(b); err != nil {
		p.t.Fatal(err)
	}
}

// entry answers a search with one entry.
func (p *peer) entry(id int64, dn string, attributes ...*ber.Packet) {
	list := ber.NewSequence("")
	for _, a := range attributes {
		list.AppendChild(a)
	}
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tagSearchEntry, nil, "")
	op.AppendChild(octets(dn))
	op.AppendChild(list)
	p.say(id, op)
}

func (p *peer) done(id int64) { p.say(id, result(tagSearchDone, 0, "", nil)) }

// rootDSE answers the search for the root DSE, which must be the next message.
func (p *peer) rootDSE(attributes ...*ber.Packet) {
	p.t.Helper()
	id := p.next(ldap.ApplicationSearchRequest).id
	p.entry(id, "", attributes...)
	p.done(id)
}

func mechanisms(names ...string) *ber.Packet { return attribute("supportedSASLMechanisms", names...) }

// bindOutcome has the results of SASLBind.
type bindOutcome struct {
	result sasl.Result
	err    error
}

// bind begins a bind with PLAIN, or with the mechanism of the list that the policy
// selects.
func bind(ctx context.Context, client *saslldap.Client, list ...sasl.Mechanism) chan bindOutcome {
	if list == nil {
		list = []sasl.Mechanism{sasl.Plain(sasl.Password("alice", "pencil"))}
	}
	auth := &sasl.Client{Mechanisms: list, Allow: func(sasl.Candidate) error { return nil }}
	outcome := make(chan bindOutcome, 1)
	go func() {
		result, err := client.SASLBind(ctx, auth)
		outcome <- bindOutcome{result, err}
	}()
	return outcome
}

// found has the result of a search.
type found struct {
	dn  string
	err error
}

// search begins a search for an entry of this DN.
func search(client ldap.Client, dn string, controls ...ldap.Control) chan found {
	outcome := make(chan found, 1)
	go func() {
		r, err := client.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", nil, controls))
		f := found{err: err}
		if err == nil && len(r.Entries) == 1 {
			f.dn = r.Entries[0].DN
		}
		outcome <- f
	}()
	return outcome
}

// serverFirst answers a client's first message of SCRAM.
func serverFirst(t *testing.T, bindRequest *ber.Packet) string {
	t.Helper()
	_, nonce, ok := strings.Cut(string(bindRequest.Children[2].Children[1].ByteValue), ",r=")
	if !ok {
		t.Fatal("no first message of SCRAM")
	}
	return "r=" + nonce + "abc,s=QUJDREVGR0hJSktMTU5PUA==,i=4096"
}
