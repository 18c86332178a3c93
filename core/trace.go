package sasl

import (
	"strconv"
	"strings"
)

// EventKind is what an Event tells of.
type EventKind uint8

// The kinds of events, in the order in which a run may have them.
const (
	EventSelected  EventKind = iota // which mechanism and binding, and what was passed over
	EventInitiated                  // the client's first message, if any
	EventChallenge                  // from the server
	EventResponse                   // from the client
	EventAborted                    // by the client
	EventSuccess                    // announced by the server, with the additional data, if any
	EventRefused                    // by the server
	EventToken                      // what became of a token
)

// Event is one step of a run. Its text is rendered by the mechanism without
// passwords, keys and proofs.
type Event struct {
	Kind      EventKind
	Mechanism string
	Text      string
}

// String returns the event as a line: "C:" is the client's message, "S:" the
// server's, "C*" an abort, "S+" success, "S!" a refusal, and "--" the
// selection, or what became of a token.
func (e Event) String() string {
	sign := [...]string{
		EventSelected: "--", EventInitiated: "C:", EventChallenge: "S:", EventResponse: "C:",
		EventAborted: "C*", EventSuccess: "S+", EventRefused: "S!",
		EventToken: "--",
	}[e.Kind]
	if e.Text == "" {
		return sign
	}
	return sign + " " + e.Text
}

// trace reports a message.
func (s *Session) trace(kind EventKind, message []byte) {
	if s.client.Trace == nil {
		return
	}
	var text string
	describer, ok := s.exchange.(interface{ Describe([]byte) string })
	switch {
	case message == nil:
		text = "(none)"
	case len(message) == 0:
		text = "(empty)"
	case ok:
		text = Printable(describer.Describe(message))
	default:
		text = strconv.Itoa(len(message)) + " octets"
	}
	if fromServer := kind == EventChallenge || kind == EventSuccess; fromServer && s.echoes(string(message)) {
		text = "(withheld: it repeats a secret)"
	}
	s.traceText(kind, text)
}

func (s *Session) traceText(kind EventKind, text string) {
	if s.client.Trace != nil {
		s.client.Trace(Event{Kind: kind, Mechanism: s.mechanism.Name(), Text: text})
	}
}

// traceChoice reports what was selected and why nothing stronger was.
func (s *Session) traceChoice() {
	if s.client.Trace == nil {
		return
	}
	text := s.mechanism.Name()
	switch _, gs2 := s.mechanism.(interface{ sendsGS2Flag() }); {
	case s.terms.GS2Flag == 'p':
		text += " bound to " + s.terms.Binding.Type
	case s.terms.GS2Flag == 'y' && gs2:
		text += ", telling the server that it could have been bound"
	}
	if binding, err := s.client.chooseBinding(&s.terms.Server); err == nil {
		reasons, _ := s.client.reasons(&s.terms.Server, &binding)
		for _, reason := range reasons {
			text += "; passed over " + strings.Join(reason.mechanisms, " ") + ": " + reason.reason.Error()
		}
	}
	s.traceText(EventSelected, text)
}
