package sasl

import (
	"encoding/base64"
	"reflect"
	"strings"
	"testing"
)

// The fuzz targets of the grammar: the canonical text of a parsed value parses to
// the same value.

func FuzzClientFirst(f *testing.F) {
	for _, seed := range []string{
		"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL", "y,a=x=3Dy=2Cz,n=a=2Cb,r=x,x=1", "p=tls-exporter,,n=user,r=x",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := parseClientFirst(text)
		if err != nil {
			return
		}
		if m.header+m.bare != text {
			t.Fatalf("%q is not %q and %q", text, m.header, m.bare)
		}
		again, err := parseClientFirst(m.format())
		if err != nil || again.gs2 != m.gs2 || again.username != m.username || again.nonce != m.nonce {
			t.Fatalf("%+v, then %+v, %v", m, again, err)
		}
	})
}

func FuzzServerFirst(f *testing.F) {
	for _, seed := range []string{
		"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096", "e=other-error", "r=x,s=AA==,i=1,x=y", "x", "...,", "i=",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, serverError, err := parseServerFirst(text)
		if err != nil || serverError != "" {
			return
		}
		again, _, err := parseServerFirst(m.format())
		if err != nil || !reflect.DeepEqual(again, m) {
			t.Fatalf("%+v, then %+v, %v", m, again, err)
		}
	})
}

func FuzzClientFinal(f *testing.F) {
	for _, seed := range []string{
		"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", "c=biws,r=x,x=1,p=AA==", "c=biws,r=x,p=",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := parseClientFinal(text)
		if err != nil {
			return
		}
		if proof := base64.StdEncoding.EncodeToString(m.proof); m.withoutProof+",p="+proof != text {
			t.Fatalf("%q is not %q and the proof %q", text, m.withoutProof, proof)
		}
		again, err := parseClientFinal(m.format())
		if err != nil || string(again.channelBinding) != string(m.channelBinding) || again.nonce != m.nonce || string(again.proof) != string(m.proof) {
			t.Fatalf("%+v, then %+v, %v", m, again, err)
		}
	})
}

func FuzzServerFinal(f *testing.F) {
	for _, seed := range []string{"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", "e=invalid-proof", "v=AA==,x=1", "v=", "e="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := parseServerFinal(text)
		if err != nil {
			return
		}
		again, err := parseServerFinal(m.format())
		if err != nil || !reflect.DeepEqual(again, m) {
			t.Fatalf("%+v, then %+v, %v", m, again, err)
		}
	})
}

func FuzzGS2Header(f *testing.F) {
	for _, seed := range []string{"n,,", "y,a=x,rest", "p=tls-unique,a==2C=3D,", "F,n,,", "n,a=,"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		h, rest, err := parseGS2Header(text)
		if err != nil {
			return
		}
		if header := string(h.append(nil)); header+rest != text {
			t.Fatalf("%q became %q and %q", text, header, rest)
		}
	})
}

// FuzzSaslname shows that every name that can be sent is parsed to the same name.
func FuzzSaslname(f *testing.F) {
	f.Add("a,b=c")
	f.Add("=2C")
	f.Fuzz(func(t *testing.T, name string) {
		escaped := string(appendSaslname(nil, name))
		back, err := parseSaslname(escaped)
		sendable := name != "" && checkName(name) == nil && len(escaped) <= maxName
		if (err == nil) != sendable || err == nil && back != name {
			t.Fatalf("%q, escaped %q, came back as %q, %v", name, escaped, back, err)
		}
		if strings.Contains(escaped, ",") {
			t.Fatalf("%q has a comma", escaped)
		}
	})
}
