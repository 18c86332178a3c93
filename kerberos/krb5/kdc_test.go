package krb5

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
	sasl "github.com/saslkit/saslkit/core"
)

// TestKDC: what the client verifies in the answers of a KDC (RFC 4120 s3.1.5 and
// s3.3.4).
func TestKDC(t *testing.T) {
	type change = func(*messages.KDCRepFields, *messages.EncKDCRepPart)
	other := types.PrincipalName{NameType: 2, NameString: []string{"ldap", "elsewhere.test"}}
	nonce := func(_ *messages.KDCRepFields, p *messages.EncKDCRepPart) { p.Nonce ^= 1 }
	user := func(r *messages.KDCRepFields, _ *messages.EncKDCRepPart) { r.CName.NameString = []string{"bob"} }
	service := func(r *messages.KDCRepFields, p *messages.EncKDCRepPart) { r.Ticket.SName, p.SName = other, other }
	joined := func(r *messages.KDCRepFields, p *messages.EncKDCRepPart) {
		p.SName.NameString = []string{strings.Join(p.SName.NameString, "/")}
		r.Ticket.SName = p.SName
	}
	ticket := func(r *messages.KDCRepFields, _ *messages.EncKDCRepPart) { r.Ticket.SName = other }
	realm := func(r *messages.KDCRepFields, _ *messages.EncKDCRepPart) { r.Ticket.Realm = "OTHER.TEST" }
	same := func(r *messages.KDCRepFields, p *messages.EncKDCRepPart) {
		p.SName.NameString = []string{"krbtgt", "R.TEST"}
		r.Ticket.SName = p.SName
	}
	rc4 := func(_ *messages.KDCRepFields, p *messages.EncKDCRepPart) { p.Key.KeyType = 23 }
	short := func(_ *messages.KDCRepFields, p *messages.EncKDCRepPart) { p.Key.KeyValue = p.Key.KeyValue[:16] }
	expired := func(_ *messages.KDCRepFields, p *messages.EncKDCRepPart) { p.EndTime = time.Now().Add(-time.Hour) }
	for name, row := range map[string]struct {
		as, tgs change
		want    error // nil = a context
	}{
		"right":                         {nil, nil, nil},
		"another nonce":                 {nonce, nil, sasl.ErrSecurity},
		"another user":                  {user, nil, sasl.ErrSecurity},
		"another service":               {service, nil, sasl.ErrSecurity},
		"a name of one component":       {joined, nil, sasl.ErrSecurity},
		"an RC4 key":                    {rc4, nil, sasl.ErrSecurity},
		"a short key":                   {short, nil, sasl.ErrSecurity},
		"another nonce, ticket":         {nil, nonce, sasl.ErrSecurity},
		"another user, ticket":          {nil, user, sasl.ErrSecurity},
		"another service, ticket":       {nil, service, sasl.ErrSecurity},
		"a referral to the same realm":  {nil, same, sasl.ErrSecurity},
		"another ticket than it says":   {nil, ticket, sasl.ErrSecurity},
		"another realm than it says":    {nil, realm, sasl.ErrSecurity},
		"an RC4 key, ticket":            {nil, rc4, sasl.ErrSecurity},
		"a ticket that expired already": {nil, expired, sasl.ErrAuthentication},
	} {
		k := &kdc{changeAS: row.as, changeTGS: row.tgs}
		context, err := k.login(t).withSecret(t.Context(), k.secret())
		if !errors.Is(err, row.want) || (context != nil) != (row.want == nil) {
			t.Errorf("%s: %v, %v", name, context, err)
		}
	}
	k := &kdc{asKey: subkey.library()} // of another type
	if _, err := k.login(t).withSecret(t.Context(), k.secret()); !errors.Is(err, sasl.ErrSecurity) || !strings.Contains(err.Error(), "was not asked for") {
		t.Errorf("another key: %v", err)
	}
}

// TestAnotherKey: an answer that does not verify is a wrong password, unless the KDC has
// accepted the proof of the password.
func TestAnotherKey(t *testing.T) {
	another := newKey(18, []byte("another's key, thirty-two octets")).library()
	for _, row := range []struct {
		preauth []byte
		want    error
	}{{nil, sasl.ErrAuthentication}, {[]byte("\x00\x00\x10\x00"), sasl.ErrSecurity}} {
		k := &kdc{asKey: another, preauth: row.preauth}
		if _, err := k.login(t).withSecret(t.Context(), k.secret()); !errors.Is(err, row.want) {
			t.Errorf("%v, want %v", err, row.want)
		}
	}
}

// TestReferral: a KDC may refer to other realms, but not in a circle without end.
func TestReferral(t *testing.T) {
	hops := 0
	k := &kdc{changeTGS: func(r *messages.KDCRepFields, p *messages.EncKDCRepPart) {
		hops++
		next := types.PrincipalName{NameType: 2, NameString: []string{"krbtgt", strings.Repeat("X", hops)}}
		r.Ticket.SName, p.SName = next, next
	}}
	l := k.login(t)
	if _, err := l.configuration(); err != nil {
		t.Fatal(err)
	}
	for n := range 20 {
		l.config.kdcs[strings.Repeat("X", n)] = []string{"one.test"}
	}
	if _, err := l.withSecret(t.Context(), k.secret()); !errors.Is(err, sasl.ErrProtocol) || hops != 8 {
		t.Errorf("%d realms: %v", hops, err)
	}
}

// TestRounds: a KDC that nobody has authenticated cannot demand few rounds of a
// password's derivation, or a number that takes hours.
func TestRounds(t *testing.T) {
	for parameters, want := range map[string]string{
		"\x00\x00\x0f\xff": "the KDC demands 4095 rounds",
		"\x00\x0f\x42\x41": "the KDC demands 1000001 rounds",
		"\x00\x00":         "invalid parameters",
	} {
		k := &kdc{preauth: []byte(parameters)}
		s := &passwordSecret{ask: func(context.Context) (sasl.Secret, error) { return sasl.NewSecret("secret"), nil }}
		if _, err := k.login(t).withSecret(t.Context(), s); err == nil || !strings.Contains(err.Error(), want) || k.requests != 1 {
			t.Errorf("%q: %v, %d requests", parameters, err, k.requests)
		}
	}
	k := &kdc{preauth: []byte("\x00\x00\x10\x00")}
	if _, err := k.login(t).withSecret(t.Context(), k.secret()); err != nil || k.requests != 3 {
		t.Errorf("%v, %d requests", err, k.requests)
	}
}

// TestNoCommonType: a KDC that demands a proof and states no type of key, or only RC4,
// has no key of the types that it was asked for. It gets no proof with a weak key.
func TestNoCommonType(t *testing.T) {
	for name, k := range map[string]*kdc{"none": {preauth: []byte{}, silent: true}, "RC4": {preauth: []byte{}, demanded: 23}} {
		asked := 0
		s := &passwordSecret{ask: func(context.Context) (sasl.Secret, error) { asked++; return sasl.NewSecret("secret"), nil }}
		_, err := k.login(t).withSecret(t.Context(), s)
		var refused *KDCError
		if !errors.Is(err, sasl.ErrPolicy) || !errors.As(err, &refused) || refused.Code != 14 || k.requests != 1 || asked != 0 {
			t.Errorf("%s: %v, %d requests", name, err, k.requests)
		}
	}
}

// TestSilentKDC: the context of the login ends the wait for a KDC.
func TestSilentKDC(t *testing.T) {
	silent := func(conn net.Conn) {
		time.AfterFunc(2*time.Second, func() { conn.Close() })
		conn.Read(make([]byte, 1<<16))
	}
	k := &kdc{dial: map[string]func(net.Conn){"one.test:88": silent, "two.test:88": silent}}
	l := k.login(t)
	if _, err := l.configuration(); err != nil {
		t.Fatal(err)
	}
	l.client.realm = "R\n.TEST"
	l.config.kdcs[l.client.realm] = l.config.kdcs["R.TEST"]
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := l.withSecret(ctx, k.secret())
	if !errors.Is(err, sasl.ErrConnection) || !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > time.Second || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v, after %v", err, time.Since(began))
	}
}

// TestUnreachableKDC: another KDC answers for one that does not.
func TestUnreachableKDC(t *testing.T) {
	large := func(conn net.Conn) {
		conn.Read(make([]byte, 1<<16))
		conn.Write([]byte("\x7f\xff\xff\xff"))
		conn.Close()
	}
	hangsUp := func(conn net.Conn) { conn.Close() }
	_, refusal, _ := unframe(refused(t, 29))
	unavailable := func(conn net.Conn) {
		conn.Read(make([]byte, 1<<16))
		conn.Write(append([]byte{0, 0, 0, byte(len(refusal))}, refusal...))
	}
	for name, first := range map[string]func(net.Conn){"no connection": nil, "hangs up": hangsUp, "unavailable": unavailable, "an answer of 2 GiB": large} {
		k := &kdc{dial: map[string]func(net.Conn){"one.test:88": first}}
		if _, err := k.login(t).withSecret(t.Context(), k.secret()); err != nil {
			t.Errorf("%s, and another answers: %v", name, err)
		}
		k.dial["two.test:88"] = first
		_, err := k.login(t).withSecret(t.Context(), k.secret())
		if !errors.Is(err, sasl.ErrTemporary) || !strings.Contains(err.Error(), "one.test:88") || !strings.Contains(err.Error(), "two.test:88") || strings.Contains(err.Error(), "\n") ||
			strings.Contains(name, "GiB") && !strings.Contains(err.Error(), "over 1 MiB") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestMalformedAnswers: every beginning of an answer, and answers with a changed
// octet, are errors with a class.
func TestMalformedAnswers(t *testing.T) {
	size := 0
	k := &kdc{raw: func(answer []byte) []byte { size = len(answer); return answer }}
	if _, err := k.login(t).withSecret(t.Context(), k.secret()); err != nil {
		t.Fatal(err)
	}
	for n := range size {
		for _, raw := range []func([]byte) []byte{
			func(answer []byte) []byte { return answer[:min(n, len(answer)-1)] },
			func(answer []byte) []byte { answer[min(n, len(answer)-1)] ^= 0x81; return answer },
		} {
			k := &kdc{raw: raw}
			if _, err := k.login(t).withSecret(t.Context(), k.secret()); err != nil && sasl.ClassOf(err) == "" {
				t.Errorf("octet %d: %v", n, err)
			}
		}
	}
}
