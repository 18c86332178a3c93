package krb5

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"slices"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana"
	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// lifetime is the lifetime of the tickets that this package asks for.
const lifetime = 10 * time.Hour

// clockSkew is the difference between clocks that Kerberos allows.
const clockSkew = 5 * time.Minute

// requestBody returns the body of a request for a ticket (RFC 4120 s5.4.1).
func (l *login) requestBody(realm string, service principal, keyTypes []int32) messages.KDCReqBody {
	return messages.KDCReqBody{
		KDCOptions: types.NewKrbFlags(),
		CName:      l.client.wire(nametype.KRB_NT_PRINCIPAL),
		Realm:      realm,
		SName:      service.wire(nametype.KRB_NT_SRV_INST),
		Till:       l.now().UTC().Add(lifetime),
		Nonce:      int(randomUint31()),
		EType:      keyTypes,
	}
}

// randomUint31 returns a random number that is positive in 32 bits: some KDCs reject
// a negative nonce, and some servers a negative sequence number.
func randomUint31() uint32 {
	var b [4]byte
	rand.Read(b[:])
	return binary.BigEndian.Uint32(b[:])>>1 | 1
}

// wire returns a name in the form of messages.
func (p principal) wire(kind int32) types.PrincipalName {
	return types.PrincipalName{NameType: kind, NameString: p.name}
}

// grantingService returns the ticket-granting service of a realm, as another realm
// knows it.
func grantingService(realm, at string) principal { return principal{[]string{"krbtgt", realm}, at} }

// accept verifies the encrypted part of a KDC's answer (RFC 4120 s3.1.5, s3.3.4), and
// returns the ticket.
func (l *login) accept(answer *messages.KDCRepFields, body messages.KDCReqBody, plain []byte) (t ticket, err error) {
	var part messages.EncKDCRepPart
	if err := guard(func() error { return part.Unmarshal(plain) }); err != nil {
		return t, protocolError("the KDC's answer is malformed")
	}
	encoded, err := encodeTicket(&answer.Ticket)
	if err != nil {
		return t, err
	}
	t = ticket{
		client:  l.client,
		service: principal{part.SName.NameString, part.SRealm},
		encoded: encoded,
		key:     newKey(part.Key.KeyType, part.Key.KeyValue),
		start:   part.StartTime,
		end:     part.EndTime,
	}
	if t.start.IsZero() {
		t.start = part.AuthTime
	}
	ticketName := principal{answer.Ticket.SName.NameString, answer.Ticket.Realm}
	switch {
	case part.Nonce != body.Nonce:
		return t, securityError("the KDC's answer is for another request")
	case !(principal{answer.CName.NameString, answer.CRealm}).is(l.client):
		return t, securityError("the KDC's answer is for another principal")
	case len(t.service.name) == 0 || !ticketName.is(t.service):
		return t, securityError("the KDC's answer is about another ticket")
	}
	if _, err := t.key.algorithm(); err != nil {
		return t, securityError("the KDC chose a type of key that was not asked for")
	}
	return t, nil
}

func encodeTicket(t *messages.Ticket) (encoded []byte, err error) {
	if guard(func() error { encoded, err = t.Marshal(); return err }) != nil {
		return nil, protocolError("a ticket is malformed")
	}
	return encoded, nil
}

// valid returns an error unless a ticket is valid now.
func (l *login) valid(t *ticket) error {
	switch now := l.now(); {
	case now.After(t.end.Add(clockSkew)):
		return &KDCError{Code: 32} // KRB_AP_ERR_TKT_EXPIRED
	case now.Before(t.start.Add(-clockSkew)):
		return &KDCError{Code: 33} // KRB_AP_ERR_TKT_NYV
	}
	return nil
}

// serviceTicket asks for a ticket of the service, beginning with a ticket-granting
// ticket, and follows the referrals of the realms in between (RFC 4120 s3.3.1).
func (l *login) serviceTicket(ctx context.Context, granting ticket) (ticket, error) {
	const maxRealms = 8
	for range maxRealms {
		realm := granting.service.name[1]
		wanted := principal{l.service.name, realm}
		if l.service.realm != "" && l.service.realm != realm {
			wanted = grantingService(l.service.realm, realm)
		}
		t, err := l.askTicket(ctx, granting, wanted)
		if err != nil {
			return t, err
		}
		if slices.Equal(t.service.name, l.service.name) {
			return t, nil
		}
		if !isGranting(t.service) || t.service.name[1] == realm {
			return t, securityError("the KDC's answer is for another service")
		}
		granting = t
	}
	return ticket{}, protocolError("the way to the service's realm leads through more than %d realms", maxRealms)
}

func isGranting(p principal) bool { return len(p.name) == 2 && p.name[0] == "krbtgt" }

// askTicket makes one TGS exchange (RFC 4120 s3.3) with the KDC of a
// ticket-granting ticket.
func (l *login) askTicket(ctx context.Context, granting ticket, wanted principal) (t ticket, err error) {
	config, err := l.configuration()
	if err != nil {
		return t, err
	}
	realm := granting.service.name[1]
	body := l.requestBody(realm, wanted, config.serviceTypes)
	types.SetFlag(&body.KDCOptions, 15) // canonicalize: the KDC may refer to another realm
	request, err := l.encodeTGS(granting, body)
	if err != nil {
		return t, err
	}
	answer, err := l.ask(ctx, realm, request)
	if err != nil {
		return t, err
	}
	var reply messages.TGSRep
	if err := guard(func() error { return reply.Unmarshal(answer) }); err != nil {
		return t, protocolError("the KDC's answer is malformed")
	}
	plain, err := granting.key.decrypt(reply.EncPart, 8)
	if err != nil {
		return t, securityError("the KDC's answer does not verify")
	}
	return l.accept(&reply.KDCRepFields, body, plain)
}

// encodeTGS encodes a TGS-REQ, whose preauthentication is an AP-REQ with the
// ticket-granting ticket (RFC 4120 s5.2.7.1).
func (l *login) encodeTGS(granting ticket, body messages.KDCReqBody) (request []byte, err error) {
	algorithm, err := granting.key.algorithm()
	if err != nil {
		return nil, protocolError("the ticket-granting ticket: %w", err)
	}
	err = guard(func() error {
		encoded, err := body.Marshal()
		if err != nil {
			return err
		}
		sum, err := algorithm.GetChecksumHash(granting.key.octets(), encoded, 6)
		if err != nil {
			return err
		}
		authenticator := l.authenticator()
		authenticator.Cksum = types.Checksum{CksumType: algorithm.GetHashID(), Checksum: sum}
		proof, err := encodeAPReq(&granting, authenticator, false)
		if err != nil {
			return err
		}
		const tgsReq, paTGSReq = 12, 1
		r := messages.TGSReq{KDCReqFields: messages.KDCReqFields{
			PVNO: iana.PVNO, MsgType: tgsReq, ReqBody: body,
			PAData: types.PADataSequence{{PADataType: paTGSReq, PADataValue: proof}},
		}}
		request, err = r.Marshal()
		return err
	})
	if err != nil {
		return nil, protocolError("a request for a ticket cannot be encoded: the ticket-granting ticket is malformed")
	}
	return request, nil
}
