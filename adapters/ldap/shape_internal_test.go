package saslldap

import (
	"strings"
	"testing"
)

// TestShape: every element ends inside the element around it, to the octet.
func TestShape(t *testing.T) {
	for name, row := range map[string]struct {
		message string
		whole   bool
	}{
		"a primitive":                 {"\x04\x03abc", true},
		"an empty sequence":           {"\x30\x00", true},
		"sequences that end together": {"\x30\x04\x30\x02\x30\x00", true},
		"one after another":           {"\x30\x05\x30\x00\x04\x01x", true},
		"a length of two octets":      {"\x30\x83\x00\x00\x83\x04\x81\x80" + strings.Repeat("x", 128), true},
		"a tag of several octets":     {"\x30\x06\xbf\x8f\x01\x02\x04\x00", true},
		"a primitive tag of several":  {"\x30\x05\x9f\x8f\x01\x01x", true},
		"too short":                   {"\x04\x03ab", false},
		"half a header":               {"\x04", false},
		"half a sequence":             {"\x30\x04\x04\x00", false},
		"an element past the end":     {"\x30\x03\x04\x02x" + "y", false},
		"a sequence past the end":     {"\x30\x02\x30\x01" + "x", false},
		"a header past the end":       {"\x30\x03\x04\x00\x04" + "\x00", false},
		"a length past the end":       {"\x30\x03\x04\x82\x00" + "\x00", false},
		"indefinite":                  {"\x30\x80\x00\x00", false},
		"indefinite inside":           {"\x30\x04\x30\x80\x00\x00", false},
		"a length of five octets":     {"\x04\x85\x00\x00\x00\x00\x00", false},
		"a tag without an end":        {"\x3f" + strings.Repeat("\xff", 40), false},
		"as deep as it may be":        {nested(maxDepth), true},
		"deeper":                      {nested(maxDepth + 1), false},
	} {
		if isWhole([]byte(row.message)) != row.whole {
			t.Errorf("%s: %t", name, !row.whole)
		}
		var s shape
		var err error
		for i := 0; i < len(row.message) && err == nil; i++ {
			err = s.pass([]byte{row.message[i]})
		}
		if whole := err == nil && s.depth == 0 && s.have == 0 && s.skip == 0; whole != row.whole {
			t.Errorf("%s, octet by octet: %t", name, whole)
		}
	}
}

// nested returns this many sequences inside one another.
func nested(depth int) (message string) {
	for range depth {
		message = "\x30" + string([]byte{byte(len(message))}) + message
	}
	return message
}
