package main

import (
	"bytes"
	"fmt"
	"html"
	"os"
	"strings"
	"sync"

	sasl "github.com/saslkit/saslkit/core"
)

// wire shows the messages of a protocol without the secrets in them. The messages of
// an exchange are hidden as a whole, because the trace of the login shows them.
type wire struct {
	mu       sync.Mutex
	all      bool // show every message, not only the capabilities
	secured  bool // TLS is around the messages
	begun    bool // the login has begun: no list of capabilities is shown
	ended    bool // the login is over
	secrets  []sasl.Secret
	print    func(line string)
	messages interface {
		// next cuts a message off the octets of one side; ok is false if it is not
		// complete. The text has no secret of an exchange.
		next(sent bool, octets []byte) (length int, text string, ok bool)
		// capabilities returns the names in a message that lists them, or "".
		capabilities(sent bool, text string) string
	}
	rest map[bool][]byte // of an incomplete message, by sent
}

// newWire returns the log for a scheme.
func newWire(scheme string, all bool) *wire {
	w := &wire{all: all, rest: map[bool][]byte{}, print: func(line string) { fmt.Fprintln(os.Stderr, line) }}
	switch strings.TrimSuffix(scheme, "s") {
	case "imap":
		w.messages = &lines{exchange: imapExchange, list: imapCapabilities}
	case "smtp", "submission":
		w.messages = &lines{exchange: smtpExchange, list: smtpCapabilities}
	case "xmpp":
		w.messages = &elements{open: map[bool]string{}}
	default:
		w.messages = ldapMessages{}
	}
	return w
}

// maxRest bounds an incomplete message, in octets.
const maxRest = 128 << 10

// observe takes the octets of one side.
func (w *wire) observe(sent bool, octets []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return
	}
	rest := append(w.rest[sent], octets...)
	for len(rest) > 0 {
		length, text, ok := w.messages.next(sent, rest)
		if !ok && len(rest) <= maxRest {
			break
		}
		if !ok {
			length, text = len(rest), fmt.Sprintf("(%d octets)", len(rest))
		}
		w.show(sent, text)
		rest = rest[length:]
	}
	w.rest[sent] = bytes.Clone(rest)
}

// conceal adds a secret that no message may show, also not in the words of the
// server.
func (w *wire) conceal(secret sasl.Secret) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(secret.Bytes()) > 0 {
		w.secrets = append(w.secrets, secret)
	}
}

// show prints a message, or the capabilities in it.
func (w *wire) show(sent bool, text string) {
	sign, side := "< ", "without TLS"
	if sent {
		sign = "> "
	}
	if w.secured {
		side = "under TLS"
	}
	for _, secret := range w.secrets {
		if secret.RepeatedIn(text) || secret.RepeatedIn(html.UnescapeString(text)) { // XML has its own form of <, & and others
			text = "(withheld, because it repeats a secret)"
		}
	}
	if w.all && text != "" {
		w.print(sign + sasl.Printable(text))
	}
	if names := w.messages.capabilities(sent, text); names != "" && !w.all && !w.begun {
		w.print("-- capabilities " + side + ": " + sasl.Printable(names))
	}
}

// begin notes that the login has begun.
func (w *wire) begin() {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.begun = true
}

// end ends the log: what follows a login is not a part of it.
func (w *wire) end() {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
}

// startTLS notes that TLS is around the messages from here on.
func (w *wire) startTLS() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.secured = true
}
