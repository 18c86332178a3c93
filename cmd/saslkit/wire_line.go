package main

import (
	"bytes"
	"strings"
)

// hidden stands for a secret in a message.
const hidden = "…"

// lines are the messages of IMAP and SMTP.
type lines struct {
	// exchange hides the secrets of a line. begun reports whether an exchange has begun
	// before the line, and now whether one has begun with it. An exchange has no end here:
	// one read may have a challenge and the refusal, before the client answers the challenge.
	exchange func(sent, begun bool, line string) (shown string, now bool)
	// list returns the names in a line; more reports that the next line goes on.
	list  func(sent bool, line string) (names string, more bool)
	begun bool
	names []string // of the lines before
}

func (l *lines) next(sent bool, octets []byte) (length int, text string, ok bool) {
	end := bytes.IndexByte(octets, '\n')
	if end < 0 {
		return 0, "", false
	}
	text, l.begun = l.exchange(sent, l.begun, strings.TrimRight(string(octets[:end]), "\r"))
	return end + 1, text, true
}

func (l *lines) capabilities(sent bool, text string) string {
	names, more := l.list(sent, text)
	if names != "" {
		l.names = append(l.names, names)
	}
	if more {
		return ""
	}
	names, l.names = strings.Join(l.names, " "), nil
	return names
}

// imapExchange hides the messages that follow AUTHENTICATE, and the arguments of LOGIN
// (RFC 9051 s6.2.2, s6.2.3).
func imapExchange(sent, begun bool, line string) (shown string, now bool) {
	words := strings.Fields(line)
	switch {
	case sent && len(words) > 2 && strings.EqualFold(words[1], "AUTHENTICATE"):
		shown = strings.Join(words[:3], " ")
		if len(words) > 3 {
			shown += " " + hidden
		}
		return shown, true
	case sent && len(words) > 1 && strings.EqualFold(words[1], "LOGIN"):
		return strings.Join(words[:2], " ") + " " + hidden, true
	case sent && begun && line != "*" && line != "":
		return hidden, true
	case !sent && begun && strings.HasPrefix(line, "+ ") && len(line) > 2:
		return "+ " + hidden, true
	}
	return line, begun
}

// imapCapabilities finds a list of capabilities (RFC 9051 s7.2.2).
func imapCapabilities(sent bool, line string) (names string, more bool) {
	list, ok := strings.CutPrefix(line, "* CAPABILITY ")
	if !ok {
		_, list, ok = strings.Cut(line, "[CAPABILITY ")
		list, _, _ = strings.Cut(list, "]")
	}
	if sent || !ok {
		return "", false
	}
	return list, false
}

// smtpExchange hides the messages that follow AUTH (RFC 4954 s4).
func smtpExchange(sent, begun bool, line string) (shown string, now bool) {
	words := strings.Fields(line)
	switch {
	case sent && len(words) > 1 && strings.EqualFold(words[0], "AUTH"):
		shown = strings.Join(words[:2], " ")
		if len(words) > 2 {
			shown += " " + hidden
		}
		return shown, true
	case sent && begun && line != "*" && line != "":
		return hidden, true
	case !sent && begun && strings.HasPrefix(line, "334"):
		if len(line) > 4 {
			line = "334 " + hidden
		}
		return line, true
	}
	return line, begun
}

// smtpCapabilities finds the extensions in the answer to EHLO (RFC 5321 s4.1.1.1).
func smtpCapabilities(sent bool, line string) (names string, more bool) {
	name, ok := strings.CutPrefix(line, "250")
	if sent || !ok || name == "" {
		return "", false
	}
	keyword, parameters, _ := strings.Cut(name[1:], " ")
	if keyword != "" && strings.Trim(keyword, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == "" {
		names = strings.ReplaceAll(keyword+" "+parameters, " ", "=")
		names = strings.TrimSuffix(names, "=")
	}
	return names, name[0] == '-'
}
