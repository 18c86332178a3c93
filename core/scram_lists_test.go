package sasl_test

import (
	"errors"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// The hashes of "SCRAM-SHA-256\x1eSCRAM-SHA-256-PLUS", with and without the suffix
// "\x1ftls-exporter", computed with Python's hashlib.
const (
	hashWithTypes    = "ZPXSpbcXdIpBZX1cJzOmiMSCpBmUcCHfhxOiocqtpac="
	hashWithoutTypes = "FarfAMlDsdlaBYGYnQfR4a8wn1S5wGtKlBpHlswW0SU="
)

// TestListsConfirmed shows that, if a list of channel bindings contains no usable
// type, a login in a profile with XEP-0474 goes on. The client sends nothing that
// depends on the password before the server has confirmed the lists.
func TestListsConfirmed(t *testing.T) {
	srv := sasl.ServerInfo{
		Mechanisms: []string{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"}, Secure: true, Downgrade: true,
		AdvertisedBindings: []string{"tls-exporter"}, TLSVersion: 0x0304,
		Bindings: []sasl.ChannelBinding{{Type: "tls-server-end-point", Data: []byte("x")}},
	}
	client := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(sasl.Password("user", "pencil"))}
	for name, row := range map[string]struct {
		attributes string
		fails      bool
	}{
		"confirmed":                      {",h=" + hashWithTypes, false},
		"confirmed, and the version":     {",h=" + hashWithTypes + ",t=0304", false},
		"not confirmed":                  {"", true},
		"something else":                 {",x=y", true},
		"of other lists":                 {",h=" + hashWithoutTypes, true},
		"both":                           {",h=" + hashWithTypes + ",h=" + hashWithoutTypes, true},
		"another version":                {",h=" + hashWithTypes + ",t=0303", true},
		"a version that is none":         {",h=" + hashWithTypes + ",t=1.3", true},
		"in the encoding of another RFC": {",h=" + strings.NewReplacer("+", "-", "/", "_").Replace(hashWithTypes) + "=", true},
	} {
		session, err := client.Begin(t.Context(), srv)
		if err != nil {
			t.Fatal(err)
		}
		mechanism, initial, err := session.Start()
		first, ok := strings.CutPrefix(string(initial), "n,,n=user,")
		if err != nil || mechanism != "SCRAM-SHA-256" || !ok {
			t.Fatalf("%s %q, %v", mechanism, initial, err)
		}
		final, err := session.Respond([]byte(first + "abc,s=QUJDREVGR0hJSktMTU5PUA==,i=4096" + row.attributes))
		if errors.Is(err, sasl.ErrSecurity) != row.fails || (final != nil) == row.fails {
			t.Errorf("%s: %q, %v", name, final, err)
		}
	}

	srv.Mechanisms = []string{"SCRAM-SHA-256-PLUS", "PLAIN"}
	if _, err := client.Begin(t.Context(), srv); !errors.Is(err, sasl.ErrPolicy) || !strings.Contains(err.Error(), "cannot confirm") {
		t.Errorf("PLAIN, which confirms nothing: %v", err)
	}
	srv.Downgrade = false
	if _, err := client.Begin(t.Context(), srv); !errors.Is(err, sasl.ErrSecurity) {
		t.Errorf("a profile without XEP-0474: %v", err)
	}
}

// TestListsNotConfirmed shows that a server does not have to confirm its lists if the
// lists are not suspicious, and that an attribute with the same name has no meaning
// in another profile.
func TestListsNotConfirmed(t *testing.T) {
	for name, row := range map[string]struct {
		downgrade  bool
		attributes string
	}{
		"an older server": {true, ""},
		"another profile": {false, ",h=" + hashWithTypes + ",t=0303"},
	} {
		srv := sasl.ServerInfo{Mechanisms: []string{"SCRAM-SHA-256"}, Secure: true, Downgrade: row.downgrade, TLSVersion: 0x0304}
		client := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.SCRAM(sasl.SHA256, sasl.Password("user", "pencil"))}}
		session, err := client.Begin(t.Context(), srv)
		if err != nil {
			t.Fatal(err)
		}
		_, initial, err := session.Start()
		if err != nil {
			t.Fatal(err)
		}
		first := strings.TrimPrefix(string(initial), "n,,n=user,")
		if _, err := session.Respond([]byte(first + "abc,s=QUJDREVGR0hJSktMTU5PUA==,i=4096" + row.attributes)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestListsAsTheyArrived shows that an empty list of types differs from a missing
// list, that one name does not count as two, and that an unknown version of TLS is
// not compared. Python computed the hashes of "SCRAM-SHA-256", "SCRAM-SHA-256\x1f",
// "A\x1eSCRAM-SHA-256", "A\x1eB\x1eSCRAM-SHA-256" and "SCRAM-SHA-256\x1fa\x1eb".
func TestListsAsTheyArrived(t *testing.T) {
	const (
		alone = ",h=5IlFKz4VKe4+I01or1SYZH07/h8E/JKh4/0iRkqB2IY="
		empty = ",h=HrrNVtv5LYOBj+rSkGbI2RBnbj8uk7AD8Oxf7tUmtLQ="
		two   = ",h=hi4djnbPzbx7b2xuzwhuAgItfcuHV9BLoGt1Ufabwe0="
		three = ",h=wIdAW/OLgIG4q30AdAZLwvuMjH1C9UeO+ODKncjl7D4="
		types = ",h=aufo0QkzShB+80hpgGIGce7fb1xcEY8hmFyVGaGg8hk="
	)
	one := []string{"SCRAM-SHA-256"}
	for name, row := range map[string]struct {
		mechanisms, types []string
		version           uint16
		secure            bool
		attributes        string
		fails             bool
	}{
		"no types":                              {one, nil, 0x0304, true, alone, false},
		"no types, and the server had a list":   {one, nil, 0x0304, true, empty, true},
		"empty types":                           {one, []string{}, 0x0304, true, empty, false},
		"empty types, and the server had none":  {one, []string{}, 0x0304, true, alone, true},
		"two names":                             {[]string{"SCRAM-SHA-256", "A"}, nil, 0x0304, true, two, false},
		"one that passes for two":               {[]string{"SCRAM-SHA-256", "A\x1eB"}, nil, 0x0304, true, three, true},
		"two types":                             {one, []string{"b", "a"}, 0x0304, true, types, false},
		"a type that passes for two":            {one, []string{"a\x1eb"}, 0x0304, true, types, true},
		"no attribute, whatever the names":      {[]string{"SCRAM-SHA-256", "A\x1eB"}, nil, 0x0304, true, "", false},
		"a version that is not known, secure":   {one, nil, 0, true, ",t=0304", false},
		"a version where there is none":         {one, nil, 0, false, ",t=0304", true},
		"another version than that of a tunnel": {one, nil, 0x0303, true, ",t=0304", true},
	} {
		client := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.SCRAM(sasl.SHA256, sasl.Password("user", "pencil"))}, Allow: allowAll}
		client.SetNonce("abc")
		session, err := client.Begin(t.Context(), sasl.ServerInfo{
			Mechanisms: row.mechanisms, AdvertisedBindings: row.types, TLSVersion: row.version, Secure: row.secure, Downgrade: true})
		if err != nil {
			t.Fatal(err)
		}
		session.Start()
		final, err := session.Respond([]byte("r=abcdef,s=QUJDREVGR0hJSktMTU5PUA==,i=4096" + row.attributes))
		if errors.Is(err, sasl.ErrSecurity) != row.fails || (final != nil) == row.fails {
			t.Errorf("%s: %q, %v", name, final, err)
		}
	}
}
