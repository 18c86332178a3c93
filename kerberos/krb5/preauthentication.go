package krb5

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
	sasl "github.com/saslkit/saslkit/core"
	saslkerberos "github.com/saslkit/saslkit/kerberos"
)

// withSecret gets a ticket for the service, beginning with a password or a key.
func (l *login) withSecret(ctx context.Context, s secret) (saslkerberos.SecurityContext, error) {
	if _, err := l.configuration(); err != nil {
		return nil, err
	}
	if err := l.parseService(); err != nil {
		return nil, err
	}
	granting, err := l.grantingTicket(ctx, s)
	if err != nil {
		return nil, err
	}
	t, err := l.serviceTicket(ctx, granting)
	if err != nil {
		return nil, err
	}
	return l.newContext(t)
}

// grantingTicket makes the AS exchange (RFC 4120 s3.1). The first request has no
// preauthentication: the KDC's refusal states the salt.
func (l *login) grantingTicket(ctx context.Context, s secret) (t ticket, err error) {
	config, err := l.configuration()
	if err != nil {
		return t, err
	}
	keyTypes := s.keyTypes(config.ticketTypes)
	if len(keyTypes) == 0 {
		return t, fmt.Errorf("%w: the keytab has no AES key of %s that is allowed here; make another keytab", sasl.ErrConfig, sasl.Printable(l.client.String()))
	}
	body := l.requestBody(l.client.realm, grantingService(l.client.realm, l.client.realm), keyTypes)
	answer, err := l.askAS(ctx, body, nil)
	var used key
	var refused *KDCError
	if errors.As(err, &refused) && refused.Code == errorcode.KDC_ERR_PREAUTH_REQUIRED {
		var proof *types.PAData
		if used, proof, err = l.prove(ctx, s, refused.data, keyTypes); err != nil {
			return t, err
		}
		answer, err = l.askAS(ctx, body, proof)
	}
	if err != nil {
		return t, err
	}
	var reply messages.ASRep
	if err := guard(func() error { return reply.Unmarshal(answer) }); err != nil {
		return t, protocolError("the KDC's answer is malformed")
	}
	proved := used.octets != nil
	if used.etype != reply.EncPart.EType {
		if used, err = l.replyKey(ctx, s, &reply, keyTypes); err != nil {
			return t, err
		}
	}
	plain, err := used.decrypt(reply.EncPart, 3)
	switch {
	case err != nil && proved:
		return t, securityError("the KDC's answer does not verify")
	case err != nil: // without preauthentication, only the client notices
		return t, &KDCError{Code: errorcode.KDC_ERR_PREAUTH_FAILED}
	}
	if t, err = l.accept(&reply.KDCRepFields, body, plain); err != nil {
		return t, err
	}
	if want := grantingService(l.client.realm, l.client.realm); !t.service.is(want) {
		return t, securityError("the KDC's answer is for another service")
	}
	return t, nil
}

// askAS sends an AS-REQ with a proof; a nil proof is none.
func (l *login) askAS(ctx context.Context, body messages.KDCReqBody, proof *types.PAData) ([]byte, error) {
	const asReq = 10
	request := messages.ASReq{KDCReqFields: messages.KDCReqFields{PVNO: iana.PVNO, MsgType: asReq, ReqBody: body}}
	if proof != nil {
		request.PAData = types.PADataSequence{*proof}
	}
	encoded, err := request.Marshal()
	if err != nil {
		return nil, fmt.Errorf("%w: the principal %q cannot be encoded", sasl.ErrConfig, sasl.Printable(l.client.String()))
	}
	return l.ask(ctx, l.client.realm, encoded)
}

// prove makes the encrypted timestamp (RFC 4120 s5.2.7.2) with the first type of key
// that both sides have.
func (l *login) prove(ctx context.Context, s secret, data []byte, keyTypes []int32) (key, *types.PAData, error) {
	var offered types.PADataSequence
	if err := guard(func() error { return offered.Unmarshal(data) }); err != nil {
		return key{}, nil, protocolError("the KDC's demand for preauthentication is malformed")
	}
	info, stated, err := l.keyInfo(offered, keyTypes)
	if err == nil && !stated { // the KDC has no key of the types that it was asked for
		err = &KDCError{Code: errorcode.KDC_ERR_ETYPE_NOSUPP}
	}
	if err != nil {
		return key{}, nil, err
	}
	k, err := s.key(ctx, info, 0)
	if err != nil {
		return k, nil, err
	}
	now := l.now().UTC()
	stamp := types.PAEncTSEnc{PATimestamp: now.Truncate(time.Second), PAUSec: now.Nanosecond() / 1000}
	plain, err := asn1.Marshal(stamp)
	if err != nil {
		return k, nil, fmt.Errorf("%w: the time cannot be encoded: set the clock", sasl.ErrConfig)
	}
	sealed, err := crypto.GetEncryptedData(plain, k.library(), 1, 0)
	if err != nil {
		return k, nil, protocolError("the KDC's demand for preauthentication cannot be met: %w", errKeyType)
	}
	value, err := sealed.Marshal()
	return k, &types.PAData{PADataType: patype.PA_ENC_TIMESTAMP, PADataValue: value}, err
}

// replyKey returns the key for an answer whose type of key was not used before.
func (l *login) replyKey(ctx context.Context, s secret, reply *messages.ASRep, keyTypes []int32) (key, error) {
	id := reply.EncPart.EType
	if !slices.Contains(keyTypes, id) {
		return key{}, securityError("the KDC chose a type of key that was not asked for")
	}
	info, _, err := l.keyInfo(reply.PAData, []int32{id})
	if err != nil {
		return key{}, err
	}
	return s.key(ctx, info, reply.EncPart.KVNO)
}

// keyInfo returns the first ETYPE-INFO2 entry (RFC 4120 s5.2.7.5) of one of the types,
// with the default salt if the entry has no salt. If the KDC has stated no entries, it
// is the first type with the default salt.
func (l *login) keyInfo(data []types.PAData, keyTypes []int32) (info types.ETypeInfo2Entry, stated bool, err error) {
	salt := l.client.realm + strings.Join(l.client.name, "")
	for _, pa := range data {
		if pa.PADataType != patype.PA_ETYPE_INFO2 {
			continue
		}
		var entries types.ETypeInfo2
		if err := guard(func() error { return entries.Unmarshal(pa.PADataValue) }); err != nil {
			return info, true, protocolError("the KDC's list of key types is malformed")
		}
		for _, entry := range entries {
			if !slices.Contains(keyTypes, entry.EType) {
				continue
			}
			if entry.Salt == "" {
				entry.Salt = salt
			}
			return entry, true, nil
		}
		return info, true, &KDCError{Code: errorcode.KDC_ERR_ETYPE_NOSUPP}
	}
	return types.ETypeInfo2Entry{EType: keyTypes[0], Salt: salt}, false, nil
}
