package sasl

import (
	"strconv"
	"strings"
)

// EventKind is the kind of an Event.
type EventKind uint8

// The kinds of events, in the order in which a run may have them.
const (
	EventSelected  EventKind = iota // the mechanism, its binding, and the mechanisms that were passed over
	EventInitiated                  // the client's first message, if any
	EventChallenge                  // from the server
	EventResponse                   // from the client
	EventAborted                    // by the client
	EventSuccess                    // announced by the server, with the additional data, if any
	EventRefused                    // by the server
	EventToken                      // a token was kept or deleted
	EventKeys                       // keys of Client.Keys were kept or deleted
	EventLayer                      // the security layer that is in effect from now on
)

// String returns the name of the kind, for example challenge.
func (k EventKind) String() string {
	names := [...]string{
		EventSelected: "selected", EventInitiated: "initiated", EventChallenge: "challenge", EventResponse: "response",
		EventAborted: "aborted", EventSuccess: "success", EventRefused: "refused", EventToken: "token",
		EventKeys: "keys", EventLayer: "layer",
	}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// MarshalText returns the name of the kind.
func (k EventKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Event is one step of a run. The mechanism renders the text without passwords,
// keys and proofs.
type Event struct {
	Kind      EventKind `json:"kind"`      // what happened
	Mechanism string    `json:"mechanism"` // the name
	Text      string    `json:"text"`      // the message, or what there is to say
}

// String returns the event as a line. The line begins with "C:" for a client's
// message, "S:" for a server's message, "C*" for an abort, "S+" for success, "S!"
// for a refusal, and "--" for the selection, for tokens, for keys and for a layer.
func (e Event) String() string {
	signs := [...]string{
		EventSelected: "--", EventInitiated: "C:", EventChallenge: "S:", EventResponse: "C:",
		EventAborted: "C*", EventSuccess: "S+", EventRefused: "S!",
		EventToken: "--", EventKeys: "--", EventLayer: "--",
	}
	sign := e.Kind.String()
	if int(e.Kind) < len(signs) {
		sign = signs[e.Kind]
	}
	if e.Text == "" {
		return sign
	}
	return sign + " " + e.Text
}

// tracer calls a Client's Trace in one run.
type tracer struct {
	trace     func(Event) // nil = no trace
	mechanism string
}

func (t tracer) on() bool { return t.trace != nil }

func (t tracer) text(kind EventKind, text string) {
	if t.trace != nil {
		t.trace(Event{Kind: kind, Mechanism: t.mechanism, Text: text})
	}
}

// refused traces a scrubbed refusal.
func (t tracer) refused(f *Failure) {
	t.text(EventRefused, Printable(strings.TrimSpace(string(f.Condition)+" "+f.Text)))
}

// message traces a message without its secrets.
func (t tracer) message(kind EventKind, message []byte, r *redactor) {
	if t.trace == nil {
		return
	}
	var text string
	describer, ok := r.exchange.(interface{ Describe([]byte) string })
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
	fromServer := kind == EventChallenge || kind == EventSuccess
	if fromServer && (r.repeats(text) || r.declares() && r.repeats(string(message))) {
		text = withheld
	}
	t.text(kind, text)
}
