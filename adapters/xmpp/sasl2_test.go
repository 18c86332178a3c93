package saslxmpp_test

import (
	"errors"
	"strings"
	"testing"

	"mellium.im/xmpp"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	sasl "github.com/saslkit/saslkit/core"
)

// TestWholeElement: <authenticate/> has all its possible contents.
func TestWholeElement(t *testing.T) {
	type request struct {
		XMLName struct{} `xml:"urn:other other"`
		A       string   `xml:"a,attr"`
	}
	login := &saslxmpp.Login{
		Client: insecure(sasl.Plain(credentials)), Secure: true, BindTag: "t<g",
		UserAgent: saslxmpp.UserAgent{ID: "d4565fa7-4d72-4749-b3d3-740edbf87770", Software: "A&B", Device: "'C'"},
		Inline:    []saslxmpp.Inline{{Space: "urn:other", Request: request{A: "<&"}}, {Space: "urn:not-offered", Request: request{}}},
	}
	conn, heard := scripted(t, turn{streamEnd, streamHeader + features(sasl2)}, turn{"</authenticate>", success2(boundInline) + features("<a xmlns='urn:a'/>")})
	session, outcome, err := negotiate(t.Context(), conn, login, xmpp.BindResource())
	if err != nil {
		t.Fatal(err)
	}
	_, said, _ := strings.Cut(heard(), streamEnd)
	want := "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>AHVzZXIAcGVuY2ls</initial-response>" +
		"<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'><software>A&amp;B</software><device>&#39;C&#39;</device></user-agent>" +
		"<bind xmlns='urn:xmpp:bind:0'><tag>t&lt;g</tag></bind><other xmlns=\"urn:other\" a=\"&lt;&amp;\"></other></authenticate>"
	if said != want {
		t.Errorf("the client said %s\nwant %s", said, want)
	}
	if session.LocalAddr().String() != "user@example.org/tag.1" || session.State()&xmpp.Ready == 0 {
		t.Errorf("%v, %v", session.LocalAddr(), session.State())
	}
	if len(outcome.Extensions) != 2 || outcome.Extensions[1].Text != "text" || outcome.Extensions[1].Attr[1].Value != "1" || outcome.Extensions[0].Children[0].Name.Local != "metadata" {
		t.Errorf("%+v", outcome.Extensions)
	}
}

// TestSASL2Success: the authorization identifier is a user's address in the domain.
func TestSASL2Success(t *testing.T) {
	for _, row := range []struct {
		children string
		class    sasl.Class
		address  string
	}{
		{identified, "", "user@example.org"},
		{"<authorization-identifier>other@example.org/r</authorization-identifier>", "", "other@example.org/r"},
		{"<authorization-identifier>\n user@EXAMPLE.org </authorization-identifier>", "", "user@example.org"},
		{"<authorization-identifier>user@example.net</authorization-identifier>", sasl.ErrProtocol, ""},
		{"<authorization-identifier>user@sub.example.org</authorization-identifier>", sasl.ErrProtocol, ""},
		{"<authorization-identifier>@</authorization-identifier>", sasl.ErrProtocol, ""},
		{"<authorization-identifier/>", sasl.ErrProtocol, ""},
		{"<authorization-identifier xmlns='urn:other'>user@example.org</authorization-identifier>", sasl.ErrProtocol, ""},
		{"", sasl.ErrProtocol, ""},
		{"<additional-data>AA==</additional-data>" + identified, sasl.ErrProtocol, ""}, // PLAIN has no additional data
		{"<additional-data>!</additional-data>" + identified, sasl.ErrProtocol, ""},
		{identified + "<bound xmlns='urn:xmpp:bind:0'/>", sasl.ErrProtocol, ""}, // the name of the resource is missing
	} {
		conn, heard := scripted(t, turn{streamEnd, streamHeader + features(sasl2)}, turn{"</authenticate>", success2(row.children) + features()})
		session, outcome, err := negotiate(t.Context(), conn, &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), Secure: true})
		if sasl.ClassOf(err) != row.class || (err == nil) != (row.class == "") {
			t.Errorf("%s: %v", row.children, err)
		}
		if err == nil && (session.LocalAddr().String() != row.address || outcome.Address.String() != row.address) {
			t.Errorf("%s: %v, %v", row.children, session.LocalAddr(), outcome.Address)
		}
		if err != nil && (session.State()&xmpp.Authn != 0 || outcome.Address.String() != "") {
			t.Errorf("%s: %v, %+v", row.children, session.State(), outcome)
		}
		heard()
	}
}

// TestTasks: a login after which the server demands a task has failed.
func TestTasks(t *testing.T) {
	conn, heard := scripted(t, turn{streamEnd, streamHeader + features(sasl2)}, turn{"</authenticate>",
		"<continue xmlns='urn:xmpp:sasl:2'><tasks><task>HOTP-EXAMPLE</task><task>TOTP-EXAMPLE</task></tasks><text>This account requires 2FA</text></continue>"})
	session, outcome, err := negotiate(t.Context(), conn, &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), Secure: true})
	var tasks *saslxmpp.TasksError
	if !errors.As(err, &tasks) || !errors.Is(err, sasl.ErrAuthorization) || tasks.Text != "This account requires 2FA" || err.Error() != "authorization error: the server demands another task: HOTP-EXAMPLE TOTP-EXAMPLE: This account requires 2FA" {
		t.Fatal(err)
	}
	if got := strings.Join(outcome.Tasks, " "); got != "HOTP-EXAMPLE TOTP-EXAMPLE" || session.State()&xmpp.Authn != 0 {
		t.Errorf("%+v, %v", outcome, session.State())
	}
	heard()
}

// TestTasksWithoutName: a server may demand a task and name none.
func TestTasksWithoutName(t *testing.T) {
	for text, err := range map[string]*saslxmpp.TasksError{
		"authorization error: the server demands another task":           {},
		"authorization error: the server demands another task: call us":  {Text: "call us"},
		"authorization error: the server demands another task: A B: now": {Tasks: []string{"A", "B"}, Text: "now"},
	} {
		if err.Error() != text {
			t.Errorf("%s, want %s", err, text)
		}
	}
}

// TestRefusal: a failure has all its possible contents (RFC 6120 s6.4.5, XEP-0388
// s2.6.2).
func TestRefusal(t *testing.T) {
	for _, row := range []struct{ failure, condition, text, lang, application string }{
		{"<account-disabled xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/><text xmlns='urn:ietf:params:xml:ns:xmpp-sasl' xml:lang='en'>Call 212-555-1212</text><a xmlns='urn:a'/>", "account-disabled", "Call 212-555-1212", "en", "a"},
		{"<aborted xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/><optional-application-specific xmlns='urn:something:else'/><text>This is a terrible example.</text>", "aborted", "This is a terrible example.", "", "optional-application-specific"},
		{"<malformed-request/><text>FAST is not available</text>", "malformed-request", "FAST is not available", "", ""},
		{"<new-condition xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "new-condition", "", "", ""},
		{"", "", "", "", ""},
	} {
		conn, heard := scripted(t, turn{streamEnd, streamHeader + features(sasl2)}, turn{"</authenticate>", "<failure xmlns='urn:xmpp:sasl:2'>" + row.failure + "</failure>"})
		_, _, err := negotiate(t.Context(), conn, &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), Secure: true})
		var failure *sasl.Failure
		var refusal *saslxmpp.Refusal
		if !errors.As(err, &failure) || !errors.As(err, &refusal) {
			t.Errorf("%s: %v", row.failure, err)
			continue
		}
		application := ""
		if len(refusal.Application) > 0 {
			application = refusal.Application[0].Name.Local
		}
		if string(failure.Condition) != row.condition || failure.Text != row.text || refusal.Lang != row.lang || application != row.application {
			t.Errorf("%s: %+v, %+v", row.failure, failure, refusal)
		}
		if says := refusal.Error(); !strings.Contains(says, row.condition) || !strings.Contains(says, row.text) {
			t.Errorf("%s: %s", row.failure, says)
		}
		heard()
	}
}

// TestWordsOfRefusal: a text beside not-authorized that is clearly about something
// else than the password gives the condition. The Refusal has what the server sent.
func TestWordsOfRefusal(t *testing.T) {
	for text, want := range map[string]sasl.Condition{
		"Too many (5) failed authentications from this IP address": sasl.TemporaryAuthFailure,
		"Your account is locked":                                   sasl.AccountDisabled,
		"The password is wrong, or your account is locked":         sasl.NotAuthorized,
		"": sasl.NotAuthorized,
	} {
		conn, heard := scripted(t, turn{streamEnd, streamHeader + features(sasl2)}, turn{"</authenticate>",
			"<failure xmlns='urn:xmpp:sasl:2'><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/><text>" + text + "</text></failure>"})
		_, _, err := negotiate(t.Context(), conn, &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), Secure: true})
		var failure *sasl.Failure
		var refusal *saslxmpp.Refusal
		if !errors.As(err, &failure) || failure.Condition != want || !errors.As(err, &refusal) || refusal.Condition != "not-authorized" {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
		heard()
	}
}
