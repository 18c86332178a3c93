package saslldap_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"

	"github.com/go-ldap/ldap/v3"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestBindRequest: a bind request has the octets of RFC 4511 s4.2, with absent,
// empty and other credentials, and takes one round trip.
func TestBindRequest(t *testing.T) {
	for _, row := range []struct {
		credentials []byte
		want        string
	}{
		{nil, "\x60\x0e\x02\x01\x03\x04\x00\xa3\x07\x04\x05PLAIN"},
		{[]byte{}, "\x60\x10\x02\x01\x03\x04\x00\xa3\x09\x04\x05PLAIN\x04\x00"},
		{[]byte("\x00a\x00b"), "\x60\x14\x02\x01\x03\x04\x00\xa3\x0d\x04\x05PLAIN\x04\x04\x00a\x00b"},
	} {
		synctest.Test(t, func(t *testing.T) {
			client, p := newPeer(t)
			transcript := &sasltest.Transcript{MechanismName: "PLAIN", Expect: sasltest.Success, Lines: []sasltest.Line{
				{Op: sasltest.ClientSends, Data: row.credentials}, {Op: sasltest.Succeed},
			}}
			outcome := bind(t.Context(), client, transcript.Mechanism())
			p.rootDSE(mechanisms("PLAIN"))
			request := p.next(ldap.ApplicationBindRequest)
			if got := string(request.op.Bytes()); got != row.want {
				t.Errorf("%q, want %q", got, row.want)
			}
			p.say(request.id, result(tagBindResponse, 0, "", nil))
			p.rootDSE(mechanisms("PLAIN"))
			if got := <-outcome; got.err != nil || got.result != (sasl.Result{Mechanism: "PLAIN", RoundTrips: 1}) {
				t.Errorf("%+v", got)
			}
			p.nothing()
		})
	}
}

// TestStalledServer: a server answers the bind and then reads no more. The end of
// the context ends every wait, although requests were held back.
func TestStalledServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		client, err := saslldap.NewConn(t.Context(), near, host, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		outcome := bind(ctx, client)
		w := newWire(far)
		if err := w.Greet("PLAIN", true); err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.ReadInitiate(); err != nil {
			t.Fatal(err)
		}
		held := search(client, "dc=one")
		synctest.Wait()
		if err := w.send(result(tagBindResponse, 0, "", nil)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		cancel()
		if got := <-outcome; !errors.Is(got.err, sasl.ErrConnection) || !errors.Is(got.err, context.Canceled) {
			t.Error(got.err)
		}
		if got := <-held; got.err == nil {
			t.Errorf("%+v", got)
		}
	})
}
