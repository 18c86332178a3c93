package harness

import "strings"

// turns follows a protocol up to TLS, where client and server take turns.
type turns interface {
	// heard takes a line of the server, and reports whether it ends the answer and whether TLS follows.
	heard(line string) (answered, startsTLS bool)
	// said takes a line of the client, and reports whether an answer is due.
	said(line string) (due bool)
}

// turnsOf knows the protocol by the greeting.
func turnsOf(greeting string) turns {
	if strings.HasPrefix(greeting, "* ") {
		return &imapTurns{tag: "*"} // as if an answer to a command of this tag
	}
	return &smtpTurns{}
}

type imapTurns struct {
	tag, command string
	more         bool // the client's next line continues the command
}

func (t *imapTurns) heard(line string) (answered, startsTLS bool) {
	status, tagged := strings.CutPrefix(line, t.tag+" ")
	t.more = strings.HasPrefix(line, "+")
	return t.more || tagged, tagged && strings.EqualFold(t.command, "STARTTLS") && strings.HasPrefix(status, "OK")
}

func (t *imapTurns) said(line string) (due bool) {
	if !t.more {
		t.tag, t.command, _ = strings.Cut(strings.TrimSpace(line), " ")
	}
	return true
}

type smtpTurns struct {
	command string
	code    string // of the last answer
}

func (t *smtpTurns) heard(line string) (answered, startsTLS bool) {
	t.code, _, _ = strings.Cut(strings.TrimSpace(line), " ")
	return !continues(line), strings.EqualFold(t.command, "STARTTLS") && t.code == "220"
}

func (t *smtpTurns) said(line string) (due bool) {
	line = strings.TrimRight(line, "\r\n")
	switch t.code {
	case "354":
		return line == "." // of a message, only the end is answered
	case "334":
		t.command = "" // it goes on
	default:
		t.command = line
	}
	return true
}
