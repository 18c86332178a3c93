package krb5

import (
	"testing"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/asn1tools"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/asnAppTag"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
	saslkerberos "github.com/saslkit/saslkit/kerberos"
)

// acceptor is the server's side of a context: what the ticket's session key allows.
type acceptor struct {
	session types.EncryptionKey
	subkey  types.EncryptionKey
	request types.Authenticator // as received
	options asn1.BitString
}

var (
	sessionKey = newKey(18, []byte("session key of thirty-two octets"))
	subkey     = newKey(17, []byte("sixteen octets.."))
)

// start returns a context with a ticket whose session key the acceptor knows.
func start(t testing.TB, request saslkerberos.Request) (*securityContext, *acceptor) {
	t.Helper()
	l := newLogin(nil, request)
	l.client = principal{[]string{"alice"}, "KERBEROS.TEST"}
	encoded := read(t, "service.ccache")
	c, _ := parseCache(encoded)
	granted := c.tickets[len(c.tickets)-1]
	granted.key = sessionKey
	granted.start, granted.end = time.Now(), time.Now().Add(time.Hour)
	context, err := l.newContext(granted)
	if err != nil {
		t.Fatal(err)
	}
	return context.(*securityContext), &acceptor{session: sessionKey.library(), subkey: subkey.library()}
}

// read takes the client's first token.
func (a *acceptor) read(t testing.TB, token []byte) {
	t.Helper()
	id, message, ok := unframe(token)
	var request messages.APReq
	if !ok || id != 0x0100 || request.Unmarshal(message) != nil {
		t.Fatalf("the first token is %x", token)
	}
	if err := request.DecryptAuthenticator(a.session); err != nil {
		t.Fatal(err)
	}
	a.request, a.options = request.Authenticator, request.APOptions
}

// answer returns an AP-REP, after change has changed its encrypted part.
func (a *acceptor) answer(t testing.TB, encrypted types.EncryptionKey, change func(*messages.EncAPRepPart)) []byte {
	t.Helper()
	part := messages.EncAPRepPart{CTime: a.request.CTime, Cusec: a.request.Cusec, Subkey: a.subkey, SequenceNumber: 7}
	if change != nil {
		change(&part)
	}
	plain := marshal(t, part, asnAppTag.EncAPRepPart)
	sealed, err := crypto.GetEncryptedData(plain, encrypted, 12, 0)
	if err != nil {
		t.Fatal(err)
	}
	return frame(0x0200, marshal(t, messages.APRep{PVNO: 5, MsgType: 15, EncPart: sealed}, asnAppTag.APREP))
}

func marshal(t testing.TB, value any, tag int) []byte {
	t.Helper()
	encoded, err := asn1.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return asn1tools.AddASNAppTag(encoded, tag)
}
