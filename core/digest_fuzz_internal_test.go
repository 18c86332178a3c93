package sasl

import (
	"reflect"
	"testing"
)

// FuzzDigestResponse shows that a server reads the same response again after a client
// has formatted it.
func FuzzDigestResponse(f *testing.F) {
	for _, seed := range []string{
		`charset=utf-8,username="chris",realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",nc=00000001,cnonce="OA6MHXh6VqTrRk",digest-uri="imap/elwood.innosoft.com",response=d388dad90d4bbd760a152321f2143af7,qop=auth`,
		`username="j\"\\` + "\xfc" + `",nonce=n,nc=00000001,cnonce="c",digest-uri="a/b",response=d388dad90d4bbd760a152321f2143af7,authzid="x"`,
		`a="\`, `a=b c`, `=`, `,`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, message string) {
		r, err := parseDigestResponse(message)
		if err != nil {
			return
		}
		text := r.format()
		if len(text) >= maxDigestResponse { // more escapes than in the message
			return
		}
		if again, err := parseDigestResponse(text); err != nil || !reflect.DeepEqual(again, r) {
			t.Fatalf("%+v became %+v, %v", r, again, err)
		}
	})
}

// FuzzDigestChallenge shows that a challenge that is read has the required directives,
// and names without control characters.
func FuzzDigestChallenge(f *testing.F) {
	for _, seed := range []string{
		`realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",qop="auth",algorithm=md5-sess,charset=utf-8`,
		`realm="a\"",realm=b,nonce="n",algorithm="md5-sess",qop="auth-int, auth",maxbuf=17`, `,,,`, `nonce="`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, message string) {
		c, err := parseDigestChallenge(message)
		if err != nil {
			return
		}
		if c.nonce == "" || hasControl(c.nonce) || len(message) >= maxDigestChallenge {
			t.Fatalf("%+v of %q", c, message)
		}
		for _, realm := range c.realms {
			if back, err := decodeText(encodeText(realm, c.utf8), c.utf8); err != nil || back != realm {
				t.Fatalf("%q became %q, %v", realm, back, err)
			}
		}
	})
}
