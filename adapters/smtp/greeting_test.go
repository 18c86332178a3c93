package saslsmtp_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	"github.com/saslkit/saslkit/adapters/smtp/internal/smtptest"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

const ehlo = "<EHLO [127.0.0.1]"

// TestGreetings: each greeting and each answer to EHLO, and its class. A reply is
// there for errors.As, without control characters in the text of the error.
func TestGreetings(t *testing.T) {
	for name, row := range map[string]struct {
		lines      []string
		class      sasl.Class
		step       transport.Step
		code       int
		mechanisms []string
	}{
		"PLAIN":              {[]string{"220-mail\r\n220 hi", ehlo, "250-AUTH LOGIN is my name\r\n250-SIZE 1\r\n250 auth=plain X"}, "", "", 0, []string{"PLAIN", "X"}},
		"no AUTH":            {[]string{"220 hi", ehlo, "250 mail.example.org"}, "", "", 0, nil},
		"busy":               {[]string{"421 4.3.2 \x1b[2Jbusy"}, sasl.ErrTemporary, "greeting", 421, nil},
		"rejected":           {[]string{"554 5.7.1 go away"}, sasl.ErrConnection, "greeting", 554, nil},
		"another protocol":   {[]string{"* OK hi"}, sasl.ErrProtocol, "greeting", 0, nil},
		"no digit, above":    {[]string{"2:5 hi"}, sasl.ErrProtocol, "greeting", 0, nil},
		"no digit, below":    {[]string{"22/ hi"}, sasl.ErrProtocol, "greeting", 0, nil},
		"too small a number": {[]string{"220 hi", ehlo, "199 hi"}, sasl.ErrProtocol, "capabilities", 0, nil},
		"the least number":   {[]string{"220 hi", ehlo, "200 hi"}, sasl.ErrProtocol, "capabilities", 200, nil},
		"a hundred lines":    {[]string{"220 hi", ehlo, strings.Repeat("250-x\r\n", 99) + "250 AUTH PLAIN"}, "", "", 0, []string{"PLAIN"}},
		"a line more":        {[]string{"220 hi", ehlo, strings.Repeat("250-x\r\n", 100) + "250 AUTH PLAIN"}, sasl.ErrProtocol, "capabilities", 0, nil},
		"another reply":      {[]string{"250 hi"}, sasl.ErrProtocol, "greeting", 250, nil},
		"cut":                {[]string{"220 hi", "!"}, sasl.ErrConnection, "capabilities", 0, nil},
		"EHLO is refused":    {[]string{"220 hi", ehlo, "502 5.5.1 what"}, sasl.ErrConnection, "capabilities", 502, nil},
		"EHLO is too early":  {[]string{"220 hi", ehlo, "450 4.7.1 later"}, sasl.ErrTemporary, "capabilities", 450, nil},
		"a reply too long":   {[]string{"220 hi", ehlo, strings.Repeat("250-x\r\n", 100)}, sasl.ErrProtocol, "capabilities", 0, nil},
		"another reply then": {[]string{"220 hi", ehlo, "354 go"}, sasl.ErrProtocol, "capabilities", 354, nil},
	} {
		c, err := saslsmtp.NewConn(t.Context(), sasltest.Scripted(t, row.lines...), smtptest.Host, nil)
		var step *transport.StepError
		var reply *saslsmtp.Reply
		if sasl.ClassOf(err) != row.class || errors.As(err, &step) && step.Step != row.step || (step == nil) != (row.step == "") {
			t.Errorf("%s: %v", name, err)
		}
		if errors.As(err, &reply) != (row.code != 0) || reply != nil && reply.Code != row.code {
			t.Errorf("%s: %+v", name, reply)
		}
		if err != nil && strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%s: %q", name, err)
		}
		if err == nil && !slices.Equal(c.ServerInfo().Mechanisms, row.mechanisms) {
			t.Errorf("%s: %q", name, c.ServerInfo().Mechanisms)
		}
	}
}
