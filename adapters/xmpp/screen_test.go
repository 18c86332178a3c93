package saslxmpp_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"mellium.im/xmpp"
	"mellium.im/xmpp/stanza"
	"mellium.im/xmpp/stream"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	sasl "github.com/saslkit/saslkit/core"
)

const (
	nsStreams = " xmlns='urn:ietf:params:xml:ns:xmpp-streams'"
	nsStanzas = " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'"
)

// shown returns all that a person can get out of an error and an outcome.
func shown(err error, outcome saslxmpp.Outcome) string {
	values := []any{outcome}
	var walk func(error)
	walk = func(err error) {
		if err == nil {
			return
		}
		values = append(values, err, fmt.Sprintf("%#v", err))
		switch err := err.(type) {
		case interface{ Unwrap() error }:
			walk(err.Unwrap())
		case interface{ Unwrap() []error }:
			for _, e := range err.Unwrap() {
				walk(e)
			}
		}
	}
	walk(err)
	if refusal := new(saslxmpp.Refusal); errors.As(err, &refusal) {
		values = append(values, *refusal)
	}
	if tasks := new(saslxmpp.TasksError); errors.As(err, &tasks) {
		values = append(values, *tasks)
	}
	var b strings.Builder
	for _, v := range values {
		text, _ := json.Marshal(v)
		fmt.Fprintf(&b, "%v %+v %s\n", v, v, text)
	}
	return b.String()
}

// TestEchoes shows that no words of a server show the password: not in the error, not
// in the errors that errors.As finds, and not in the outcome.
func TestEchoes(t *testing.T) {
	failure := func(children string) string {
		return "<failure" + ns2 + "><not-authorized" + ns1 + "/>" + children + "</failure>"
	}
	streamError := func(children string) string { return "<stream:error>" + children + "</stream:error>" }
	text := func(t string) string { return "<text" + nsStreams + ">" + t + "</text>" }
	long := strings.Repeat("words of the server ", 40) // longer than the text of an error
	for name, row := range map[string]struct {
		answer string
		class  sasl.Class
		keeps  string // what the error still says
	}{
		"text":                   {failure("<text>ECHO</text>"), sasl.ErrAuthentication, "not-authorized"},
		"text, far behind":       {failure("<text>" + long + "ECHO</text>"), sasl.ErrAuthentication, "not-authorized"},
		"condition":              {"<failure" + ns2 + "><ECHO" + ns1 + "/></failure>", sasl.ErrAuthentication, "withheld"},
		"application":            {failure("<x xmlns='urn:x'>ECHO</x>"), sasl.ErrAuthentication, "not-authorized"},
		"application, inside":    {failure("<x xmlns='urn:x'><y><z>ECHO</z></y></x>"), sasl.ErrAuthentication, "not-authorized"},
		"application, attr":      {failure("<x xmlns='urn:x' a='ECHO'/>"), sasl.ErrAuthentication, "not-authorized"},
		"application, its name":  {failure("<ECHO xmlns='urn:x'/>"), sasl.ErrAuthentication, "not-authorized"},
		"application, space":     {failure("<x xmlns='urn:ECHO'/>"), sasl.ErrAuthentication, "not-authorized"},
		"application, attr name": {failure("<x xmlns='urn:x' ECHO='a'/>"), sasl.ErrAuthentication, "not-authorized"},
		"application, spread":    {failure("<x xmlns='urn:x'><y>hunter2-</y><y>Secret</y></x>"), sasl.ErrAuthentication, "not-authorized"},
		"language":               {failure("<text xml:lang='ECHO'>no</text>"), sasl.ErrAuthentication, "not-authorized: no"},
		"tasks":                  {"<continue" + ns2 + "><tasks><task>ECHO</task></tasks></continue>", sasl.ErrAuthorization, "withheld"},
		"tasks, spread":          {"<continue" + ns2 + "><tasks><task>hunter2-</task><task>Secret</task></tasks></continue>", sasl.ErrAuthorization, "withheld"},
		"tasks, text":            {"<continue" + ns2 + "><tasks><task>TOTP</task></tasks><text>" + long + "ECHO</text></continue>", sasl.ErrAuthorization, "withheld"},
		"identifier":             {success2("<authorization-identifier>ECHO@@@</authorization-identifier>"), sasl.ErrProtocol, ""},
		"domain":                 {success2("<authorization-identifier>a@ECHO.example</authorization-identifier>"), sasl.ErrProtocol, ""},
		"element":                {"<ECHO" + ns2 + "/>", sasl.ErrProtocol, ""},
		"stream, text":           {streamError("<conflict" + nsStreams + "/>" + text("ECHO")), sasl.ErrConnection, "conflict"},
		"stream, second text":    {streamError("<conflict" + nsStreams + "/>" + text("a") + text("ECHO")), sasl.ErrConnection, "conflict"},
		"stream, far behind":     {streamError("<conflict" + nsStreams + "/>" + text(long+"ECHO")), sasl.ErrConnection, "conflict"},
		"stream, language":       {streamError("<conflict" + nsStreams + "/><text" + nsStreams + " xml:lang='ECHO'>a</text>"), sasl.ErrConnection, "conflict"},
		"stream, condition":      {streamError("<ECHO" + nsStreams + "/>"), sasl.ErrConnection, ""},
		"stream, another host":   {streamError("<see-other-host" + nsStreams + ">ECHO</see-other-host>"), sasl.ErrConnection, "see-other-host"},
		"invalid XML":            {"<a><ECHO></b>", sasl.ErrProtocol, ""},
		"entity":                 {"<a>&ECHO;</a>", sasl.ErrProtocol, ""},
		"no XML":                 {"ECHO\n", sasl.ErrProtocol, ""},
	} {
		for _, echo := range []string{"hunter2-Secret", "aHVudGVyMi1TZWNyZXQ"} {
			if strings.Contains(name, "spread") && echo != "hunter2-Secret" {
				continue
			}
			conn, heard := scripted(t, turn{streamEnd, streamHeader + features(sasl2)}, turn{"</authenticate>", strings.ReplaceAll(row.answer, "ECHO", echo)}, turn{"/>", "<failure" + ns2 + "/>"})
			login := &saslxmpp.Login{Client: insecure(sasl.Plain(sasl.Password("user", "hunter2-Secret"))), Secure: true}
			_, outcome, err := negotiate(t.Context(), conn, login)
			if sasl.ClassOf(err) != row.class || !strings.Contains(err.Error(), row.keeps) {
				t.Errorf("%s: %v, want %s", name, err, row.class)
			}
			if got := shown(err, outcome); strings.Contains(got, echo) || strings.Contains(got, "hunter2-") {
				t.Errorf("%s: %s", name, got)
			}
			heard()
		}
	}
}

// TestWordsStay: words that repeat nothing stay, for errors.As too.
func TestWordsStay(t *testing.T) {
	conn, heard := scripted(t, turn{streamEnd, streamHeader + features(sasl2)}, turn{"</authenticate>",
		"<stream:error><see-other-host" + nsStreams + ">b.example</see-other-host><text" + nsStreams + " xml:lang='en'>moved</text></stream:error>"})
	_, _, err := negotiate(t.Context(), conn, &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), Secure: true})
	var ended stream.Error
	if !errors.As(err, &ended) || ended.Content != "b.example" || len(ended.Text) != 1 || ended.Text[0].Value != "moved" || !strings.Contains(err.Error(), "see-other-host: moved") {
		t.Errorf("%v, %+v", err, ended)
	}
	heard()
}

// TestEchoesAfterwards: the same after the login: in the stream, at the resource and in
// the errors of the caller's features.
func TestEchoesAfterwards(t *testing.T) {
	const echo = "hunter2-Secret"
	own := func(err error) xmpp.StreamFeature {
		return xmpp.StreamFeature{
			Name: xml.Name{Space: "urn:own", Local: "own"}, Necessary: xmpp.Authn, Prohibited: xmpp.Ready,
			Parse: func(_ context.Context, d *xml.Decoder, _ *xml.StartElement) (bool, any, error) {
				return true, nil, d.Skip()
			},
			Negotiate: func(context.Context, *xmpp.Session, any) (xmpp.SessionState, io.ReadWriter, error) {
				return 0, nil, err
			},
		}
	}
	offered := success2(identified) + features("<own xmlns='urn:own'/>")
	for name, row := range map[string]struct {
		answer  string
		feature error
		class   sasl.Class
	}{
		"a stream error":             {success2(identified) + "<stream:error><conflict" + nsStreams + "/><text" + nsStreams + ">" + echo + "</text></stream:error>", nil, sasl.ErrConnection},
		"a stream error's condition": {success2(identified) + "<stream:error><" + echo + nsStreams + "/></stream:error>", nil, sasl.ErrConnection},
		"a feature's error":          {offered, errors.New("the server says " + echo), sasl.ErrProtocol},
		"one with a class":           {offered, fmt.Errorf("%w: %s", sasl.ErrTemporary, echo), sasl.ErrTemporary},
		"one that wraps":             {offered, fmt.Errorf("%w: it failed: %w", sasl.ErrTemporary, wrapping{errors.New(echo)}), sasl.ErrTemporary},
		"one of a stanza":            {offered, stanza.Error{Type: stanza.Cancel, Condition: stanza.Conflict, Text: map[string]string{"en": echo}}, sasl.ErrProtocol},
		"one that points to it":      {offered, &stanza.Error{Type: stanza.Cancel, Condition: stanza.Conflict, Text: map[string]string{"": echo}}, sasl.ErrProtocol},
		"one of the stream":          {offered, stream.Error{Err: "conflict", Content: echo}, sasl.ErrConnection},
		"one of several":             {offered, errors.Join(sasl.ErrTemporary, errors.New(echo)), sasl.ErrTemporary},
		"another server":             {success2(identified) + "<a><" + echo + "></b></a>", nil, sasl.ErrProtocol},
	} {
		conn, heard := scripted(t, turn{streamEnd, streamHeader + features(sasl2)}, turn{"</authenticate>", row.answer})
		login := &saslxmpp.Login{Client: insecure(sasl.Plain(sasl.Password("user", echo))), Secure: true}
		_, outcome, err := negotiate(t.Context(), conn, login, own(row.feature))
		if sasl.ClassOf(err) != row.class {
			t.Errorf("%s: %v, want %s", name, err, row.class)
		}
		if got := shown(err, outcome); strings.Contains(got, echo) {
			t.Errorf("%s: %s", name, got)
		}
		heard()
	}
}

// TestInformation: a feature of the caller that has nothing to negotiate stays so.
func TestInformation(t *testing.T) {
	feature := xmpp.StreamFeature{
		Name: xml.Name{Space: "urn:own", Local: "own"}, Necessary: xmpp.Authn,
		Parse: func(_ context.Context, d *xml.Decoder, _ *xml.StartElement) (bool, any, error) {
			return false, "data", d.Skip()
		},
	}
	conn, heard := scripted(t, turn{streamEnd, streamHeader + features(sasl2)}, turn{"</authenticate>", success2(identified) + features("<own xmlns='urn:own'/>")})
	session, _, err := negotiate(t.Context(), conn, &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), Secure: true}, feature)
	if data, _ := session.Feature("urn:own"); err != nil || data != "data" {
		t.Errorf("%v, %v", data, err)
	}
	heard()
}

// TestFeatureWithClass: an error of a feature that has a class and repeats nothing stays
// as it is, also if it wraps nothing.
func TestFeatureWithClass(t *testing.T) {
	own := fmt.Errorf("%w: the quota is used up (%w)", sasl.ErrTemporary, wrapping{nil})
	feature := xmpp.StreamFeature{
		Name: xml.Name{Space: "urn:own", Local: "own"}, Necessary: xmpp.Authn, Prohibited: xmpp.Ready,
		Parse: func(_ context.Context, d *xml.Decoder, _ *xml.StartElement) (bool, any, error) {
			return true, nil, d.Skip()
		},
		Negotiate: func(context.Context, *xmpp.Session, any) (xmpp.SessionState, io.ReadWriter, error) {
			return 0, nil, own
		},
	}
	conn, heard := scripted(t, turn{streamEnd, streamHeader + features(sasl2)}, turn{"</authenticate>", success2(identified) + features("<own xmlns='urn:own'/>")})
	_, _, err := negotiate(t.Context(), conn, &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), Secure: true}, feature)
	if !errors.Is(err, sasl.ErrTemporary) || err.Error() != "temporary error: the quota is used up (no details)" {
		t.Error(err)
	}
	heard()
}

// wrapping hides what it wraps from its text.
type wrapping struct{ err error }

func (wrapping) Error() string   { return "no details" }
func (w wrapping) Unwrap() error { return w.err }
