package main

import (
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// say is what one side sends.
type say struct {
	sent   bool
	octets string
}

// TestWire shows the log of dialogs with each protocol. The messages of an exchange
// are hidden, and so is a text of the server that repeats the secret.
func TestWire(t *testing.T) {
	for name, row := range map[string]struct {
		scheme string
		dialog []say
		want   string
	}{
		"IMAP": {"imap", []say{
			{false, "* OK hi\r\n"}, {true, "A1 authenticate PLAIN\r\n"}, {false, "+ \r\n"}, {true, "AGFsaWNlAHBlbmNpbA==\r\n"},
			{false, "* NO not yet\r\nA1 NO pencil is wrong\r\n"}, {true, "A2 NOOP\r\n"},
		}, "< * OK hi|> A1 authenticate PLAIN|< + |> …|< * NO not yet|< (withheld, because it repeats a secret)|> …"},
		"IMAP, inline": {"imaps", []say{{true, "A1 AUTHENTICATE PLAIN AGFsaWNlAHBlbmNpbA==\r\n"}, {false, "+ ZXJyb3I=\r\n"}, {true, "*\r\n"}, {false, "A1 BAD x\r\n+ later\r\n"}},
			"> A1 AUTHENTICATE PLAIN …|< + …|> *|< A1 BAD x|< + …"},
		"IMAP, a refusal with the challenge": {"imap", []say{{true, "A1 AUTHENTICATE CRAM-MD5\r\n"}, {false, "+ PDFAeD4=\r\nA1 NO x\r\n"}, {true, "YWxpY2UgNWE1YQ==\r\n"}},
			"> A1 AUTHENTICATE CRAM-MD5|< + …|< A1 NO x|> …"},
		"SMTP, a refusal with the challenge": {"smtp", []say{{true, "AUTH CRAM-MD5\r\n"}, {false, "334 PDFAeD4=\r\n535 x\r\n"}, {true, "YWxpY2UgNWE1YQ==\r\n"}},
			"> AUTH CRAM-MD5|< 334 …|< 535 x|> …"},
		"IMAP, LOGIN": {"imap", []say{{true, "A1 LOGIN alice {6}\r\n"}, {false, "+ go\r\n"}, {true, "pencil\r\n"}, {false, "A1 OK in\r\n"}},
			"> A1 LOGIN …|< + …|> …|< A1 OK in"},
		"SMTP": {"smtp", []say{
			{true, "AUTH LOGIN\r\n"}, {false, "334 VXNlcm5hbWU6\r\n"}, {true, "YWxpY2U=\r\n"}, {false, "334\r\n"}, {true, "cGVuY2ls\r\n"},
			{false, "535-no\r\n535 cGVuY2ls\r\n"}, {true, "QUIT\r\n"},
		}, "> AUTH LOGIN|< 334 …|> …|< 334|> …|< 535-no|< (withheld, because it repeats a secret)|> …"},
		"XMPP": {"xmpp", []say{
			{true, "<auth xmlns='x' mechanism='PLAIN'>AGFsaWNlAHBlbmNpbA==</auth>"}, {false, "<success/> <token expiry='1' token=\"pencil\"/>"}, {true, "<response/>"},
			{false, "<failure><not-authorized/><text xml:lang='en'>pencil</text></failure>"}, {false, "<challenge>cGVuY2ls</challenge>"}, {false, "<mechanism>PLAIN</mechanism>"},
		}, "> <auth xmlns='x' mechanism='PLAIN'>…</auth>|< <success/>|< <token expiry='1' token='…'/>|> <response/>|< <failure>|< <not-authorized/>|< (withheld, because it repeats a secret)|< </failure>|< <challenge>…</challenge>|< <mechanism>PLAIN</mechanism>"},
		"XMPP, > in a token": {"xmpp", []say{{false, "<token token='abc>def' expiry='1'/>"}}, "< <token token='…' expiry='1'/>"},
		"XMPP, no names":     {"xmpp", []say{{false, "<stream:features><>x</>"}}, "< <stream:features>|< <>|< …|< </>"},
		"XMPP, references":   {"xmpp", []say{{false, "<text>&#112;en&#x63;&#105;l</text><a b='&#112;en&#x63;&#105;l'/>"}}, "< (withheld, because it repeats a secret)|< (withheld, because it repeats a secret)"},
		"XMPP, CDATA":        {"xmpp", []say{{false, "<challenge><![CDATA[a>cGVu]]></challenge>"}}, "< <challenge>|< …|< </challenge>"},
		"XMPP, a child":      {"xmpp", []say{{false, "<challenge><text/>cGVu</challenge>"}}, "< <challenge>|< <text/>|< …|< </challenge>"},
		"LDAP, 4 GB":         {"ldap", []say{{false, "\x30\x84\xff\xff\xff\xff123456789"}}, ""},
		"LDAP": {"ldap", []say{
			{true, "\x30\x16\x02\x01\x01\x60\x11\x02\x01\x03\x04\x00\xa3\x0a\x04\x00\x04\x06pencil"}, {false, "\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x31\x04\x00\x04\x00"},
		}, "> BindRequest, message ID 1, 24 octets|< BindResponse, message ID 1, 14 octets, result code 49"},
		"no end": {"imap", []say{{false, strings.Repeat("x", 128<<10+1)}}, "< (131073 octets)"},
	} {
		for _, whole := range []bool{true, false} {
			var printed []string
			w := newWire(row.scheme, true)
			w.conceal(sasl.NewSecret("pencil"))
			w.print = func(line string) { printed = append(printed, line) }
			for _, s := range row.dialog {
				if whole {
					w.observe(s.sent, []byte(s.octets))
					continue
				}
				for i := range min(len(s.octets), 1000) {
					w.observe(s.sent, []byte(s.octets[i:i+1]))
				}
			}
			got := strings.Join(printed, "|")
			if whole && got != row.want {
				t.Errorf("%s:\n%s, want\n%s", name, got, row.want)
			}
			if strings.Contains(got, "pencil") || strings.Contains(got, "cGVuY2ls") || strings.Contains(got, "HBlbmNpb") {
				t.Errorf("%s, whole %t: the log has the secret: %s", name, whole, got)
			}
		}
	}
}

// TestWireCapabilities shows the capabilities before and after TLS in one line each.
func TestWireCapabilities(t *testing.T) {
	for name, row := range map[string]struct {
		scheme string
		before []string
		want   string
	}{
		"IMAP": {"imap", []string{"* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\nA1 OK CAPABILITY completed\r\n", "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n"},
			"-- capabilities without TLS: IMAP4rev1 STARTTLS|-- capabilities under TLS: IMAP4rev1 AUTH=PLAIN"},
		"SMTP": {"smtp", []string{"250-mail.example.org Hello\r\n250-STARTTLS\r\n250 SIZE 1000\r\n", "250-mail.example.org\r\n250 AUTH PLAIN LOGIN\r\n250 2.0.0 Ok\r\n"},
			"-- capabilities without TLS: STARTTLS SIZE=1000|-- capabilities under TLS: AUTH=PLAIN=LOGIN"},
		"XMPP": {"xmpp", []string{"<stream:features><starttls/></stream:features>", "<stream:features> <mechanisms xmlns='x'><mechanism>PLAIN</mechanism></mechanisms></stream:features>"},
			"-- capabilities without TLS: starttls|-- capabilities under TLS: mechanisms PLAIN"},
	} {
		var printed []string
		w := newWire(row.scheme, false)
		w.print = func(line string) { printed = append(printed, line) }
		w.observe(false, []byte(row.before[0]))
		w.startTLS()
		w.observe(false, []byte(row.before[1]))
		w.end()
		w.observe(false, []byte(row.before[1]))
		if got := strings.Join(printed, "|"); got != row.want {
			t.Errorf("%s: %s, want %s", name, got, row.want)
		}
	}
}
