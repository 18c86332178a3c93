package saslkerberos

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/kerberos/internal/der"
)

const (
	spnegoName     = "GSS-SPNEGO"
	spnegoPlusName = "GSS-SPNEGO-PLUS"
)

// SPNEGO returns the client's mechanism GSS-SPNEGO (RFC 4178) with Kerberos as the
// only mechanism inside. Nil options are the default. GSS-SPNEGO has no authzid.
//
// The channel binding is that of GSSAPI.
func SPNEGO(initiator Initiator, options *Options) sasl.Mechanism {
	return newMechanism(spnegoName, sasl.BindsAlways, newSPNEGO, initiator, options)
}

// SPNEGOPlus returns the mechanism GSS-SPNEGO-PLUS. It differs from GSS-SPNEGO in
// that its name promises a channel binding.
func SPNEGOPlus(initiator Initiator, options *Options) sasl.Mechanism {
	return newMechanism(spnegoPlusName, sasl.BindsByName, newSPNEGO, initiator, options)
}

func newSPNEGO(h handshake) sasl.Exchange { return &spnego{handshake: h} }

// spnego is a run of RFC 4178:
//
//	C: negTokenInit(Kerberos, token)
//	S: negTokenResp(accept-completed, token)
//
// If the server asks for the integrity check of the list of mechanisms, the client
// sends it, and the server answers with accept-completed. Dovecot then continues as
// in RFC 4752, with an offer of security layers.
type spnego struct {
	handshake
	started, established bool
	done, offered        bool
	err                  error
}

func (x *spnego) Step(ctx context.Context, in []byte) (out []byte, done bool, err error) {
	if x.err == nil {
		out, x.err = x.next(ctx, in)
	}
	if x.err != nil {
		return nil, false, x.err
	}
	return out, x.done, nil
}

func (x *spnego) next(ctx context.Context, in []byte) ([]byte, error) {
	switch {
	case x.mechanism.options.Authzid != "":
		return nil, fmt.Errorf("%w: %s has no authzid: use %s", sasl.ErrConfig, x.mechanism.name, gssapiName)
	case x.done && !x.offered && x.layer == nil:
		x.offered = true
		return x.choose(in)
	case x.done:
		return nil, fmt.Errorf("%w: a challenge after the negotiation", sasl.ErrProtocol)
	case !x.started:
		x.started = true
		token, _, err := x.establish(ctx, in, x.request())
		return initialToken(token), err
	}
	answer, ok := parseNegTokenResp(in)
	if !ok {
		return nil, fmt.Errorf("%w: the server's negTokenResp is malformed", sasl.ErrProtocol)
	}
	return x.negotiate(ctx, answer)
}

// request asks for the flags that decide the security layer: there is no further
// negotiation. Without a layer some servers refuse both flags.
func (x *spnego) request() Request {
	return Request{Integrity: x.demandsLayer(), Confidentiality: x.terms.Layer == sasl.ConfidentialityLayer}
}

// The states of a negotiation (RFC 4178 s4.2.2).
const (
	acceptCompleted  = 0
	acceptIncomplete = 1
	reject           = 2
	requestMIC       = 3
)

var errRejected = errors.New("the server rejected the negotiation")

// negotiate takes the server's answer. The server may announce success only if it
// has proved its identity.
func (x *spnego) negotiate(ctx context.Context, answer negTokenResp) (out []byte, err error) {
	switch {
	case answer.state == reject:
		return nil, errRejected
	case answer.mechanism != nil && !bytes.Equal(answer.mechanism, kerberosOID):
		return nil, fmt.Errorf("%w: the server chose a mechanism that was not offered", sasl.ErrSecurity)
	case !x.established:
		if _, x.established, err = x.establish(ctx, answer.token, x.request()); err != nil {
			return nil, err
		}
	case len(answer.token) > 0:
		return nil, fmt.Errorf("%w: a token of the server after its proof", sasl.ErrProtocol)
	}
	if !x.established {
		return nil, fmt.Errorf("%w: the server's proof is missing", sasl.ErrSecurity)
	}
	if answer.mic != nil {
		if err := x.context.VerifyMIC(mechanismList, answer.mic); err != nil {
			return nil, err
		}
	}
	switch answer.state {
	case acceptCompleted:
		x.done = true
		if !x.demandsLayer() {
			return []byte{}, nil
		}
		if x.layer, err = newLayer(x.context, x.request().Confidentiality, maxToken, maxUnstated); err != nil {
			return nil, err
		}
		return []byte{}, nil
	case acceptIncomplete, requestMIC:
		mic, err := x.context.MIC(mechanismList)
		return finalToken(mic), err
	}
	return nil, fmt.Errorf("%w: the state %d of the negotiation is unknown", sasl.ErrProtocol, answer.state)
}

// The object identifiers in DER, without tag and length.
var (
	kerberosOID = []byte("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02") // 1.2.840.113554.1.2.2
	spnegoOID   = []byte("\x2b\x06\x01\x05\x05\x02")             // 1.3.6.1.5.5.2
)

// The tags of RFC 4178 s4.2.
const (
	tagToken      = 0x60
	tagOID        = 0x06
	tagSequence   = 0x30
	tagOctets     = 0x04
	tagEnumerated = 0x0a
	tagContext    = 0xa0 // and the number of the field
)

// mechanismList is the list of mechanisms, whose integrity the context can protect.
var mechanismList = der.Append(nil, tagSequence, der.Append(nil, tagOID, kerberosOID))

// initialToken returns a negTokenInit with a token of Kerberos.
func initialToken(token []byte) []byte {
	if token == nil {
		return nil
	}
	fields := der.Append(nil, tagContext, mechanismList)
	fields = der.Append(fields, tagContext+2, der.Append(nil, tagOctets, token))
	content := der.Append(nil, tagOID, spnegoOID)
	return der.Append(nil, tagToken, der.Append(content, tagContext, der.Append(nil, tagSequence, fields)))
}

// finalToken returns a negTokenResp with the integrity check of the list.
func finalToken(mic []byte) []byte {
	fields := der.Append(nil, tagContext, []byte{tagEnumerated, 1, acceptCompleted})
	fields = der.Append(fields, tagContext+3, der.Append(nil, tagOctets, mic))
	return der.Append(nil, tagContext+1, der.Append(nil, tagSequence, fields))
}

// negTokenResp is the answer of RFC 4178 s4.2.2. Nil fields are absent.
type negTokenResp struct {
	state                 int
	mechanism, token, mic []byte
}

func parseNegTokenResp(b []byte) (answer negTokenResp, ok bool) {
	choice, rest, ok1 := der.Read(b, tagContext+1)
	fields, tail, ok2 := der.Read(choice, tagSequence)
	if !ok1 || !ok2 || len(rest) > 0 || len(tail) > 0 {
		return answer, false
	}
	// In an answer that says nothing, the negotiation goes on.
	answer.state = acceptIncomplete
	state, fields, ok := optional(fields, 0, tagEnumerated)
	if !ok || state != nil && len(state) != 1 {
		return answer, false
	}
	if state != nil {
		answer.state = int(state[0])
	}
	if answer.mechanism, fields, ok = optional(fields, 1, tagOID); !ok {
		return answer, false
	}
	if answer.token, fields, ok = optional(fields, 2, tagOctets); !ok {
		return answer, false
	}
	answer.mic, fields, ok = optional(fields, 3, tagOctets)
	return answer, ok && len(fields) == 0
}

// optional reads the field with this number; nil = the field is absent.
func optional(fields []byte, number, tag byte) (content, rest []byte, ok bool) {
	if len(fields) == 0 || fields[0] != tagContext+number {
		return nil, fields, true
	}
	field, rest, ok1 := der.Read(fields, tagContext+number)
	content, tail, ok2 := der.Read(field, tag)
	return content, rest, ok1 && ok2 && len(tail) == 0
}
