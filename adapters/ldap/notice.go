package saslldap

import (
	"errors"
	"fmt"

	"github.com/go-ldap/ldap/v3"

	sasl "github.com/saslkit/saslkit/core"
)

// The bounds of unsolicited notifications.
const (
	maxNotice         = 16 << 10 // octets
	maxNoticeElements = 64
	maxNotices        = 8 // during one of our requests
)

// notification examines an unsolicited notification (RFC 4511 s4.4). A notice of
// disconnection ends our request, and the library gets it too.
func (m *mux) notification(h header) addressee {
	r, err := m.readNotification(h)
	if err == errCutNotification {
		return library // the next read returns the error
	}
	if err == nil {
		r = m.examine(r)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		m.deliver(answer{err: err})
		return nobody
	}
	if notice := r.disconnection(); notice != nil {
		if m.notice == nil {
			m.notice = notice
		}
		m.deliver(answer{err: notice})
	}
	if m.own != nil {
		if m.own.notices++; m.own.notices > maxNotices {
			m.deliver(answer{err: fmt.Errorf("%w: the server sent more than %d notifications in place of an answer", sasl.ErrProtocol, maxNotices)})
		}
	}
	return library
}

var errCutNotification = errors.New("cut")

func (m *mux) readNotification(h header) (result, error) {
	if h.total > maxNotice {
		return result{}, fmt.Errorf("%w: the server sent a notification of %d octets", sasl.ErrProtocol, h.total)
	}
	b, err := m.reader.Peek(h.total)
	if err != nil {
		return result{}, errCutNotification
	}
	if s, _ := measure(b); s.elements > maxNoticeElements {
		return result{}, errFrame
	}
	return decodeResult(frame{header: h, bytes: b}, extendedResponse)
}

// disconnection returns the error of a notice of disconnection (RFC 4511 s4.4.1), and
// nil for another notification, such as that of an aborted transaction (RFC 5805).
func (r result) disconnection() error {
	if r.name != "" && r.name != disconnectionNotice {
		return nil
	}
	class := sasl.ErrConnection
	switch r.code {
	case ldap.LDAPResultProtocolError:
		class = sasl.ErrProtocol
	case ldap.LDAPResultStrongAuthRequired:
		class = sasl.ErrPolicy
	case ldap.LDAPResultBusy, ldap.LDAPResultUnavailable:
		class = sasl.ErrTemporary
	}
	return &resultError{class, "the server ends the connection", r}
}

// resultError is the error of an LDAPResult that belongs to no exchange. The
// library's error is there for errors.As.
type resultError struct {
	class  sasl.Class
	what   string
	result result
}

func (e *resultError) Error() string {
	return e.class.Error() + ": " + e.what + ", with " + sasl.Printable(e.result.words())
}

func (e *resultError) Unwrap() []error {
	if library := e.result.library(); library != nil {
		return []error{e.class, library}
	}
	return []error{e.class}
}
