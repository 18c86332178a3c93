package main

import (
	"bytes"
	"regexp"
	"strings"
)

// elements are the messages of XMPP: tags, with the text of those elements that have
// no secret. An exchange has its messages in texts, and a token is in an attribute.
type elements struct {
	open     map[bool]string // the name of the last tag, by sent
	features []string
}

// tokenAttribute finds the token in an element of XEP-0484.
var tokenAttribute = regexp.MustCompile(`(?i)\b(token|secret)\s*=\s*('[^']*'|"[^"]*")`)

// shownText are the elements whose text is shown.
var shownText = map[string]bool{"mechanism": true, "text": true, "jid": true, "authorization-identifier": true, "required": true}

func (e *elements) next(sent bool, octets []byte) (length int, text string, ok bool) {
	if octets[0] != '<' {
		end := bytes.IndexByte(octets, '<')
		if end < 0 {
			return 0, "", false
		}
		text = strings.TrimSpace(string(octets[:end]))
		if text != "" && !shownText[e.open[sent]] {
			text = hidden
		}
		return end, text, true
	}
	if bytes.HasPrefix(octets, []byte("<![CDATA[")) { // the text of any element
		end := bytes.Index(octets, []byte("]]>"))
		return end + 3, hidden, end >= 0
	}
	end := tagEnd(octets)
	if end < 0 {
		return 0, "", false
	}
	tag := string(octets[:end+1])
	names := strings.FieldsFunc(tag, notInName)
	if len(names) == 0 { // <>, which is not XML
		return end + 1, tag, true
	}
	name := names[0]
	if leaf, inner := leafOf(octets, end+1); leaf > 0 {
		if !shownText[name] {
			inner = hidden
		}
		return leaf, tokenAttribute.ReplaceAllString(tag, "$1='"+hidden+"'") + inner + "</" + name + ">", true
	}
	if e.open[sent] = name; octets[1] == '/' || octets[end-1] == '/' { // what follows is not in this element
		e.open[sent] = ""
	}
	return end + 1, tokenAttribute.ReplaceAllString(tag, "$1='"+hidden+"'"), true
}

// tagEnd returns the index of the > of a tag, or -1. The value of an attribute may have
// a > of its own (XML 1.0 s2.4), and so may a token.
func tagEnd(octets []byte) int {
	var quote byte
	for i, b := range octets {
		switch {
		case quote != 0 && b == quote:
			quote = 0
		case quote == 0 && (b == '\'' || b == '"'):
			quote = b
		case quote == 0 && b == '>':
			return i
		}
	}
	return -1
}

func notInName(r rune) bool { return strings.ContainsRune("</> \t\r\n", r) }

// leafOf returns the length of an element that has only text, and the text, if the
// element is complete. Its first tag ends at start.
func leafOf(octets []byte, start int) (length int, text string) {
	inner, rest, ok := bytes.Cut(octets[start:], []byte("</"))
	end := bytes.IndexByte(rest, '>')
	if !ok || end < 0 || len(inner) == 0 || bytes.IndexByte(inner, '<') >= 0 || octets[start-2] == '/' || octets[1] == '/' || octets[1] == '?' {
		return 0, ""
	}
	return start + len(inner) + 2 + end + 1, string(inner)
}

// capabilities collects the elements of <stream:features/>, and the mechanisms.
func (e *elements) capabilities(sent bool, text string) string {
	switch {
	case sent:
	case strings.HasPrefix(text, "<stream:features") || strings.HasPrefix(text, "<features"):
		e.features = []string{""}
	case strings.HasPrefix(text, "</stream:features") || strings.HasPrefix(text, "</features"):
		list := strings.Join(e.features, " ")
		e.features = nil
		return strings.TrimSpace(list)
	case e.features == nil || strings.Trim(text, "</> \t\r\n") == "" || strings.HasPrefix(text, "</") || text == hidden || text == "<mechanism>":
	case strings.HasPrefix(text, "<mechanism>"):
		e.features = append(e.features, strings.FieldsFunc(text, notInName)[1])
	case text != "":
		e.features = append(e.features, strings.FieldsFunc(text, notInName)[0])
	}
	return ""
}
