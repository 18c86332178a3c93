package saslldap_test

import (
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	sasl "github.com/saslkit/saslkit/core"
)

func notice(code int64) *ber.Packet {
	return notification("1.3.6.1.4.1.1466.20036", code, "going down")
}

func notification(name string, code int64, text string) *ber.Packet {
	op := result(tagExtended, code, text, nil)
	op.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 10, name, ""))
	return op
}

// TestDisconnection: a notice of disconnection during a bind is the error of that
// bind, and the library gets the notice too.
func TestDisconnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := newPeer(t)
		outcome := bind(t.Context(), client)
		p.rootDSE(mechanisms("PLAIN"))
		p.next(ldap.ApplicationBindRequest)
		p.say(0, notice(52))
		checkUnavailable(t, <-outcome)
		if !p.closed() || !client.IsClosing() {
			t.Error("the connection is open")
		}
	})
}

// TestDisconnectionTwice: a second notice of disconnection is not the answer to
// anything.
func TestDisconnectionTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := newPeer(t)
		outcome := bind(t.Context(), client)
		p.rootDSE(mechanisms("PLAIN"))
		p.next(ldap.ApplicationBindRequest)
		twice := append(message(0, notice(52)), message(0, notice(52))...)
		p.write(append(twice, twice...))
		checkUnavailable(t, <-outcome)
	})
}

func checkUnavailable(t *testing.T, got bindOutcome) {
	t.Helper()
	var own *ldap.Error
	if !errors.Is(got.err, sasl.ErrTemporary) || !errors.As(got.err, &own) || !ldap.IsErrorWithCode(own, ldap.LDAPResultUnavailable) {
		t.Error(got.err)
	}
}

// TestDisconnectionBefore: a notice during the wait for earlier answers or for the
// root DSE is the reason for the end of the connection.
func TestDisconnectionBefore(t *testing.T) {
	for _, waiting := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			client, p := newPeer(t)
			if waiting {
				search(client, "dc=one")
				p.next(ldap.ApplicationSearchRequest)
			}
			outcome := bind(t.Context(), client)
			if waiting {
				p.rootDSE(mechanisms("PLAIN"))
			}
			synctest.Wait()
			p.say(0, notice(52))
			p.conn.Close()
			checkUnavailable(t, <-outcome)
		})
	}
}

// TestOtherNotification: a notification that ends something else (RFC 5805) is
// never the answer to a bind.
func TestOtherNotification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := newPeer(t)
		outcome := bind(t.Context(), client)
		p.say(0, notification("1.3.6.1.1.21.4", 80, "aborted"))
		p.rootDSE(mechanisms("PLAIN"))
		request := p.next(ldap.ApplicationBindRequest)
		p.say(0, notification("1.3.6.1.1.21.4", 80, "aborted"))
		p.say(request.id, result(tagBindResponse, 0, "", nil))
		p.rootDSE(mechanisms("PLAIN"))
		if got := <-outcome; got.err != nil {
			t.Error(got.err)
		}
		// The notification is not the reason for the end of the connection.
		outcome = bind(t.Context(), client)
		p.rootDSE(mechanisms("PLAIN"))
		p.next(ldap.ApplicationBindRequest)
		p.conn.Close()
		if got := <-outcome; !errors.Is(got.err, sasl.ErrConnection) || errors.As(got.err, new(*ldap.Error)) {
			t.Error(got.err)
		}
	})
}

// TestLongNotification: a notification that is too long to be decoded ends a bind.
func TestLongNotification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := newPeer(t)
		outcome := bind(t.Context(), client)
		p.rootDSE(mechanisms("PLAIN"))
		p.next(ldap.ApplicationBindRequest)
		go p.conn.Write(message(0, notification("1.3.6.1.4.1.1466.20036", 52, strings.Repeat("x", 20<<10))))
		if got := <-outcome; !errors.Is(got.err, sasl.ErrProtocol) {
			t.Error(got.err)
		}
	})
}

// TestDisconnectionUnread: a notice of a server that does not read the bind any more
// is the error of that bind.
func TestDisconnectionUnread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		client, err := saslldap.NewConn(t.Context(), near, host, nil)
		if err != nil {
			t.Fatal(err)
		}
		outcome := bind(t.Context(), client)
		if err := newWire(far).Greet("PLAIN", true); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		far.Write(message(0, notice(52)))
		far.Close()
		checkUnavailable(t, <-outcome)
	})
}

// TestCutNotification: half a notification is no notice, but the end of the connection.
func TestCutNotification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := newPeer(t)
		outcome := bind(t.Context(), client)
		p.rootDSE(mechanisms("PLAIN"))
		p.next(ldap.ApplicationBindRequest)
		p.write(message(0, notice(52))[:20])
		p.conn.Close()
		if got := (<-outcome).err; got == nil || got.Error() != "connection error: the server closed the connection: unexpected EOF" {
			t.Error(got)
		}
	})
}

const (
	hostile = "\x1b[2J\r\nall is well\u202e"
	shown   = "[2Jall is well"
)

// TestWordsForPeople: the server's text in an error is fit for a terminal.
func TestWordsForPeople(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := newPeer(t)
		outcome := bind(t.Context(), client)
		p.rootDSE(mechanisms("PLAIN"))
		p.next(ldap.ApplicationBindRequest)
		p.say(0, notification("1.3.6.1.4.1.1466.20036", 8, hostile))
		if got := (<-outcome).err; got == nil || got.Error() != "policy error: the server ends the connection, with result code 8: "+shown {
			t.Errorf("%v", got)
		}
	})
	for code, want := range map[int64]string{
		2:  "security error: the server refuses STARTTLS or does not offer it, or somebody removed the offer: result code 2: " + shown,
		51: "temporary error: the server does not start TLS at this time, with result code 51: " + shown,
	} {
		address := serve(t, "tcp", "127.0.0.1:0", func(conn net.Conn) error {
			err := readStartTLS(conn)
			conn.Write(message(1, result(tagExtended, code, hostile, nil)))
			return err
		})
		_, err := saslldap.DialURL(t.Context(), "ldap://"+host, &saslldap.Options{Address: address})
		if want += " (step: starttls, address: " + address + ")"; err == nil || err.Error() != want {
			t.Errorf("%v", err)
		}
	}
}

// TestEchoInNotice: a password that a server repeats in a notice of disconnection
// is in no error, at any place of the text.
func TestEchoInNotice(t *testing.T) {
	for _, text := range []string{"goodbye, pencil", strings.Repeat("x", 1000) + "pencil"} {
		synctest.Test(t, func(t *testing.T) {
			client, p := newPeer(t)
			outcome := bind(t.Context(), client)
			p.rootDSE(mechanisms("PLAIN"))
			p.next(ldap.ApplicationBindRequest)
			p.say(0, notification("1.3.6.1.4.1.1466.20036", 52, text))
			err := (<-outcome).err
			if !errors.Is(err, sasl.ErrTemporary) {
				t.Error(err)
			}
			var own *ldap.Error
			if strings.Contains(err.Error(), "pencil") || errors.As(err, &own) {
				t.Errorf("%v, with %v", err, own)
			}
		})
	}
}

// TestNotificationInStartTLS: a notice of disconnection ends StartTLS, also without
// a reason, and another notification is not an answer.
func TestNotificationInStartTLS(t *testing.T) {
	for name, class := range map[string]sasl.Class{"1.3.6.1.4.1.1466.20036": sasl.ErrConnection, "1.3.6.1.1.21.4": sasl.ErrProtocol} {
		address := serve(t, "tcp", "127.0.0.1:0", func(conn net.Conn) error {
			err := readStartTLS(conn)
			conn.Write(message(0, notification(name, 0, "")))
			io.Copy(io.Discard, conn)
			return err
		})
		_, err := saslldap.DialURL(t.Context(), "ldap://"+host, &saslldap.Options{Address: address})
		if sasl.ClassOf(err) != class {
			t.Error(err)
		}
		// A nil among the errors of Unwrap is invalid.
		var several interface{ Unwrap() []error }
		if errors.As(err, &several) && slices.Contains(several.Unwrap(), nil) {
			t.Errorf("%v wraps nil", err)
		}
	}
}
