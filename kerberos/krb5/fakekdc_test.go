package krb5

import (
	"cmp"
	"context"
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
	saslkerberos "github.com/saslkit/saslkit/kerberos"
)

// kdc answers requests without a network. Its answers are right, unless a func
// changes them.
type kdc struct {
	t         *testing.T
	preauth   []byte                                                // the parameters of the demanded preauthentication; nil = none is demanded
	silent    bool                                                  // the demand states no type of key
	demanded  int32                                                 // the type of key in the demand; 0 = 18
	changeAS  func(*messages.KDCRepFields, *messages.EncKDCRepPart) // nil = no change
	changeTGS func(*messages.KDCRepFields, *messages.EncKDCRepPart)
	asKey     types.EncryptionKey            // encrypts the answer to the user
	raw       func(answer []byte) []byte     // changes the octets on the wire; nil = no change
	dial      map[string]func(conn net.Conn) // by address, in place of the KDC
	requests  int
}

var userKey = newKey(18, []byte("the user's key, thirty-two octet"))

// login returns a login that asks the KDC.
func (k *kdc) login(t *testing.T) *login {
	t.Helper()
	k.t = t
	if k.asKey.KeyType == 0 {
		k.asKey = userKey.library()
	}
	path := filepath.Join(t.TempDir(), "krb5.conf")
	text := "[libdefaults]\npermitted_enctypes = aes256-sha1\n[realms]\nR.TEST = {\nkdc = one.test\nkdc = two.test\n}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	l := newLogin(&Options{Config: path, DialContext: k.connect}, saslkerberos.Request{Service: "ldap/dc.test", Integrity: true})
	l.client = principal{[]string{"alice"}, "R.TEST"}
	return l
}

// secret is the user's key in a keytab.
func (*kdc) secret() secret {
	return keytabSecret{keytab{{principal{[]string{"alice"}, "R.TEST"}, 1, userKey}}}
}

func (k *kdc) connect(_ context.Context, _, address string) (net.Conn, error) {
	client, server := net.Pipe()
	serve, ok := k.dial[address]
	switch {
	case ok && serve == nil:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}
	case ok:
		go serve(server)
	default:
		go k.serve(server)
	}
	return client, nil
}

func (k *kdc) serve(conn net.Conn) {
	defer conn.Close()
	size := make([]byte, 4)
	if _, err := io.ReadFull(conn, size); err != nil {
		return
	}
	request := make([]byte, binary.BigEndian.Uint32(size))
	if _, err := io.ReadFull(conn, request); err != nil {
		return
	}
	k.requests++
	answer := k.answer(request)
	if k.raw != nil {
		answer = k.raw(answer)
	}
	conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(answer))), answer...))
}

func (k *kdc) answer(request []byte) []byte {
	var as messages.ASReq
	if as.Unmarshal(request) == nil {
		if k.preauth != nil && len(as.PAData) == 0 {
			return k.demand()
		}
		return k.reply(as.ReqBody, 11, k.asKey, 3, k.changeAS)
	}
	var tgs messages.TGSReq
	if err := tgs.Unmarshal(request); err != nil {
		k.t.Error(err)
		return nil
	}
	return k.reply(tgs.ReqBody, 13, sessionKey.library(), 8, k.changeTGS)
}

// demand returns the KRB-ERROR that demands preauthentication.
func (k *kdc) demand() []byte {
	info, err := asn1.Marshal(types.ETypeInfo2{{EType: cmp.Or(k.demanded, 18), Salt: "salt", S2KParams: k.preauth}})
	if err != nil {
		k.t.Error(err)
	}
	data, err := asn1.Marshal(types.PADataSequence{{PADataType: 19, PADataValue: info}})
	if err != nil {
		k.t.Error(err)
	}
	if k.silent {
		if data, err = asn1.Marshal(types.PADataSequence{{PADataType: 2}}); err != nil {
			k.t.Error(err)
		}
	}
	refusal := messages.NewKRBError(types.PrincipalName{NameString: []string{"krbtgt", "R.TEST"}}, "R.TEST", 25, "")
	refusal.EData = data
	encoded, err := refusal.Marshal()
	if err != nil {
		k.t.Error(err)
	}
	return encoded
}

func (k *kdc) reply(body messages.KDCReqBody, kind int, encrypted types.EncryptionKey, usage uint32, change func(*messages.KDCRepFields, *messages.EncKDCRepPart)) []byte {
	now := time.Now().UTC().Truncate(time.Second)
	reply := messages.KDCRepFields{
		PVNO: 5, MsgType: kind, CRealm: "R.TEST", CName: types.PrincipalName{NameType: 1, NameString: []string{"alice"}},
		Ticket: messages.Ticket{TktVNO: 5, Realm: body.Realm, SName: body.SName, EncPart: types.EncryptedData{EType: 18, KVNO: 1, Cipher: []byte("opaque")}},
	}
	part := messages.EncKDCRepPart{
		Key: sessionKey.library(), LastReqs: []messages.LastReq{{LRValue: now}}, Nonce: body.Nonce, Flags: types.NewKrbFlags(),
		AuthTime: now, EndTime: now.Add(time.Hour), SRealm: body.Realm, SName: body.SName,
	}
	if change != nil {
		change(&reply, &part)
	}
	plain, err := part.Marshal()
	if err != nil {
		k.t.Error(err)
	}
	if reply.EncPart, err = crypto.GetEncryptedData(plain, encrypted, usage, 1); err != nil {
		k.t.Error(err)
	}
	var encoded []byte
	if kind == 11 {
		encoded, err = (&messages.ASRep{KDCRepFields: reply}).Marshal()
	} else {
		encoded, err = (&messages.TGSRep{KDCRepFields: reply}).Marshal()
	}
	if err != nil {
		k.t.Error(err)
	}
	return encoded
}
