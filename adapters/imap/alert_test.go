package saslimap

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"

	sasl "github.com/saslkit/saslkit/core"
)

const withheldAlert = "(withheld: it repeats a secret)"

// TestAlertsKeepSecrets: no alert shows the password that was sent, in whatever
// form a person could read it. An alert about something else is shown.
func TestAlertsKeepSecrets(t *testing.T) {
	tail := plainMessage[8:]
	for name, row := range map[string]struct {
		lines []string
		want  []string
	}{
		"decoded":              {[]string{"* OK [ALERT] your password tanstaaftanstaaf is weak"}, []string{withheldAlert}},
		"most of it":           {[]string{"* OK [ALERT] tanstaaftans"}, []string{withheldAlert}},
		"control characters":   {[]string{"* OK [ALERT] tanst\x01aaft\x1banstaaf"}, []string{withheldAlert}},
		"a carriage return":    {[]string{"* OK [ALERT] tanst\raaftanstaaf"}, []string{withheldAlert}},
		"marks and bad octets": {[]string{"* OK [ALERT] tanst\u202eaaft\xffanstaaf"}, []string{withheldAlert}},
		"base64":               {[]string{"* OK [ALERT] got " + plainMessage}, []string{withheldAlert}},
		"base64, its end":      {[]string{"* OK [ALERT] got " + tail}, []string{withheldAlert}},
		"base64, folded":       {[]string{"* OK [ALERT] got " + tail[:5] + " \t" + tail[5:]}, []string{withheldAlert}},
		"in two alerts":        {[]string{"* OK [ALERT] tanstaaf", "* OK [ALERT] tanstaaf!"}, []string{withheldAlert}},
		"in an address":        {[]string{"* NO [WEBALERT https://example.org/?tanstaaftanstaaf] see"}, []string{withheldAlert}},
		"something else":       {[]string{"* OK [ALERT] change your \x1b[1mpassword"}, []string{"change your [1mpassword"}},
	} {
		lines := append([]string{listsSASLIR, "<A1 AUTHENTICATE PLAIN " + plainMessage}, row.lines...)
		c, err := NewConn(t.Context(), prompt(t, append(lines, "A1 OK welcome")...), "", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Authenticate(t.Context(), plain); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := c.Alerts(); !slices.Equal(got, row.want) {
			t.Errorf("%s: alerts %q, want %q", name, got, row.want)
		}
	}
}

// TestSecretOfAnEarlierLogin: a later login of the same connection shows no secret
// of an earlier login, in its error or in an alert, and keeps the class.
func TestSecretOfAnEarlierLogin(t *testing.T) {
	const other = "AHRpbQBvdGhlci1wYXNzd29yZA=="
	for name, row := range map[string]struct {
		answer []string
		class  sasl.Class
		text   string
	}{
		"refusal": {[]string{"A2 NO not tanstaaftanstaaf"}, sasl.ErrAuthentication, "authentication error: refused with not-authorized: (withheld: it repeats a secret)"},
		"a code":  {[]string{"A2 NO [X-TANSTAAFTANSTAAF] no"}, sasl.ErrAuthentication, "authentication error: refused with not-authorized: no"},
		"BYE":     {[]string{"* BYE not tanstaaftanstaaf", "!"}, sasl.ErrConnection, "connection error: the reason is withheld, because it repeats a secret"},
		"alert":   {[]string{"* OK [ALERT] not tanstaaftanstaaf", "A2 NO no"}, sasl.ErrAuthentication, "authentication error: refused with not-authorized: no"},
	} {
		lines := append([]string{listsSASLIR, "<A1 AUTHENTICATE PLAIN " + plainMessage, "A1 NO wrong", "<A2 AUTHENTICATE PLAIN " + other}, row.answer...)
		c, err := NewConn(t.Context(), prompt(t, lines...), "", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Authenticate(t.Context(), plain); sasl.ClassOf(err) != sasl.ErrAuthentication {
			t.Errorf("%s: %v", name, err)
		}
		var trace strings.Builder
		second := &sasl.Client{
			Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("tim", "other-password"))}, Allow: plain.Allow,
			Trace: func(e sasl.Event) { fmt.Fprintln(&trace, e) },
		}
		_, err = c.Authenticate(t.Context(), second)
		if sasl.ClassOf(err) != row.class || err.Error() != row.text {
			t.Errorf("%s: %v, want %s", name, err, row.text)
		}
		var own *imap.Error
		errors.As(err, &own)
		shown := fmt.Sprintf("%#v %+v %s %q", err, own, trace.String(), c.Alerts())
		if strings.Contains(shown, "tanstaaftanstaaf") {
			t.Errorf("%s: %s", name, shown)
		}
		if want := map[bool]string{true: withheldAlert}[name == "alert"]; strings.Join(c.Alerts(), "") != want {
			t.Errorf("%s: alerts %q", name, c.Alerts())
		}
	}
}

// TestAlertsAreShownOnce: a person sees each alert once, in the error or among the
// alerts, and each address that a response code has.
func TestAlertsAreShownOnce(t *testing.T) {
	const web = "https://accounts.example.org/signin/continue?sarp=1&scc=1"
	for name, row := range map[string]struct {
		lines  []string
		text   string // of the refusal; "" = success
		alerts []string
	}{
		"in the refusal":         {[]string{"A1 NO [ALERT] Gone"}, "Gone", nil},
		"before the refusal":     {[]string{"* NO [ALERT] Gone", "A1 NO Gone"}, "Gone", nil},
		"another alert":          {[]string{"* OK [ALERT] Disk full", "A1 NO [ALERT] Gone"}, "Gone", []string{"Disk full"}},
		"with success":           {[]string{"A1 OK [ALERT] Disk full"}, "", []string{"Disk full"}},
		"twice":                  {[]string{"* OK [alert] Disk full", "* NO [ALERT] Disk full", "A1 OK in"}, "", []string{"Disk full"}},
		"an address":             {[]string{"* NO [WEBALERT " + web + "] Web login required.", "A1 NO [ALERT] Log in with your browser"}, "Log in with your browser", []string{"Web login required. " + web}},
		"an address, no text":    {[]string{"* NO [WEBALERT " + web + "]", "A1 NO no"}, "no", []string{web}},
		"an address in a reason": {[]string{"A1 NO [WEBALERT " + web + "] Web login required."}, "Web login required. " + web, nil},
		"a referral":             {[]string{"A1 NO [REFERRAL imap://tim@other.example.org/] Moved"}, "Moved imap://tim@other.example.org/", nil},
		"no text":                {[]string{"* OK [ALERT]", "A1 OK in"}, "", nil},
		"a code without alert":   {[]string{"* OK [X-STATE 5] Fine", "A1 OK in"}, "", nil},
	} {
		lines := append([]string{listsSASLIR, "<A1 AUTHENTICATE PLAIN " + plainMessage}, row.lines...)
		c, err := NewConn(t.Context(), prompt(t, lines...), "", nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Authenticate(t.Context(), plain)
		var refused *sasl.Failure
		if errors.As(err, &refused) != (row.text != "") || refused != nil && refused.Text != row.text {
			t.Errorf("%s: %v, want %q", name, err, row.text)
		}
		if got := c.Alerts(); !slices.Equal(got, row.alerts) {
			t.Errorf("%s: alerts %q, want %q", name, got, row.alerts)
		}
	}
}

// TestAlertsAreBounded: 16 alerts of 512 octets are kept, the oldest.
func TestAlertsAreBounded(t *testing.T) {
	lines := []string{listsSASLIR, "<A1 AUTHENTICATE PLAIN " + plainMessage}
	for i := range 17 {
		lines = append(lines, fmt.Sprintf("* OK [ALERT] %d %s", i, strings.Repeat("x", 600)))
	}
	c, err := NewConn(t.Context(), prompt(t, append(lines, "A1 OK in")...), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Authenticate(t.Context(), plain); err != nil {
		t.Fatal(err)
	}
	got := c.Alerts()
	if len(got) != 16 || got[0] != "0 "+strings.Repeat("x", 510)+"…" || !strings.HasPrefix(got[15], "15 x") {
		t.Errorf("%d alerts: %.20q", len(got), got)
	}
}

// TestEndlessLiterals: an empty literal takes no octets but a line.
func TestEndlessLiterals(t *testing.T) {
	flood := strings.Repeat("{0}\r\n", 40000)
	for name, line := range map[string]string{"empty": flood, "of one octet": strings.Repeat("{1}\r\nx", 40000)} {
		c, err := NewConn(t.Context(), prompt(t, listsSASLIR, "<A1 AUTHENTICATE PLAIN "+plainMessage, "* X {0}\r\n"+line, "", "A1 OK in"), "", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Authenticate(t.Context(), plain); sasl.ClassOf(err) != sasl.ErrProtocol || !strings.Contains(err.Error(), "literals of more than 96 KiB") {
			t.Errorf("%s: %v", name, err)
		}
		c.Close()
	}
	c, err := NewConn(t.Context(), prompt(t, listsSASLIR, "<A1 AUTHENTICATE PLAIN "+plainMessage, "* X {0}\r\n {2+}\r\nab {0}", "", "A1 OK in"), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Authenticate(t.Context(), plain); err != nil {
		t.Errorf("a few literals: %v", err)
	}
}
