package saslxmpp

import (
	"encoding/xml"
	"slices"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// TestTokenMechanisms: the list for tokens is the server's, verbatim and in its
// order, and no other list replaces it.
func TestTokenMechanisms(t *testing.T) {
	const fast = "<fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-UNIQ</mechanism><other/><mechanism>ht-none</mechanism>" +
		"<mechanism xmlns='urn:other'>X</mechanism><mechanism>HT-SHA-256-EXPR</mechanism></fast>"
	for name, row := range map[string]struct {
		offered string
		want    []string
	}{
		"a list":           {"<mechanism>PLAIN</mechanism><inline><bind xmlns='urn:xmpp:bind:0'/>" + fast + "</inline>", []string{"HT-SHA-256-UNIQ", "HT-NONE", "HT-SHA-256-EXPR"}},
		"no list":          {"<mechanism>PLAIN</mechanism><inline><bind xmlns='urn:xmpp:bind:0'/></inline>", nil},
		"nothing inline":   {"<mechanism>PLAIN</mechanism>", nil},
		"outside of it":    {"<mechanism>PLAIN</mechanism>" + fast, nil},
		"after another":    {"<inline><fast xmlns='urn:other'/>" + fast + "</inline>", []string{"HT-SHA-256-UNIQ", "HT-NONE", "HT-SHA-256-EXPR"}},
		"another element":  {"<inline><slow xmlns='urn:xmpp:fast:0'/>" + fast + "</inline>", []string{"HT-SHA-256-UNIQ", "HT-NONE", "HT-SHA-256-EXPR"}},
		"another protocol": {"<inline><fast xmlns='urn:other'><mechanism>PLAIN</mechanism></fast></inline>", nil},
	} {
		d := xml.NewDecoder(strings.NewReader("<authentication xmlns='urn:xmpp:sasl:2'>" + row.offered + "</authentication>"))
		token, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		start := token.(xml.StartElement)
		_, data, err := new(negotiation).features(0)[1].Parse(t.Context(), d, &start)
		if err != nil {
			t.Fatal(err)
		}
		var conn sasl.TokenInterface = &sasl2{offered: data.(*offer)}
		if got := conn.TokenMechanisms(); !slices.Equal(got, row.want) {
			t.Errorf("%s: %q, want %q", name, got, row.want)
		}
	}
	if _, ok := sasl.Interface(&sasl1{}).(sasl.TokenInterface); ok {
		t.Error("the profile of RFC 6120 carries tokens")
	}
}

// TestIssuedToken: a token belongs to the last run.
func TestIssuedToken(t *testing.T) {
	var conn sasl.TokenInterface = &sasl2{issued: &sasl.IssuedToken{Token: sasl.NewSecret("of an earlier run")}}
	conn.RequestTokens(sasl.TokenRequest{})
	if got := conn.IssuedToken(); got != nil {
		t.Errorf("%+v", got)
	}
}
