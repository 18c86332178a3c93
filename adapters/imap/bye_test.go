package saslimap

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestRefusedAfterBye: a refusal that follows BYE is the outcome, and nobody is
// asked for another attempt on a connection that the server ends. Nothing else
// that follows BYE counts.
func TestRefusedAfterBye(t *testing.T) {
	const bye = "connection error: the server ends the connection: too many"
	for name, row := range map[string]struct {
		lines []string
		text  string
	}{
		"refusal":          {[]string{"* BYE too many", "A1 NO [AUTHENTICATIONFAILED] wrong"}, "authentication error: refused with not-authorized: wrong"},
		"with a code":      {[]string{"* BYE too many", "A1 NO [UNAVAILABLE] down"}, "temporary error: refused with temporary-auth-failure: down"},
		"in between":       {[]string{"* BYE too many", "* 1 EXISTS", "A1 NO wrong", "!"}, "authentication error: refused with not-authorized: wrong"},
		"BAD is not again": {[]string{"* BYE too many", "A1 BAD wrong"}, "protocol error: refused with malformed-request: wrong"},
		"success":          {[]string{"* BYE too many", "A1 OK welcome"}, bye},
		"a challenge":      {[]string{"* BYE too many", "+ "}, bye},
		"another tag":      {[]string{"* BYE too many", "A7 NO wrong"}, bye},
		"the end":          {[]string{"* BYE too many", "!"}, bye},
		"silence":          {[]string{"* BYE too many"}, bye},
		"no IMAP":          {[]string{"* BYE too many", "x"}, bye},
		"a second BYE":     {[]string{"* BYE too many", "* BYE other"}, bye},
		"a flood":          {[]string{"* BYE too many", strings.Repeat("* 1 EXISTS\r\n", 1001), "A1 NO wrong"}, bye},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines := append([]string{listsSASLIR, "<A1 AUTHENTICATE PLAIN " + plainMessage}, row.lines...)
			conn := &closing{Conn: sasltest.Scripted(t, lines...)}
			c, err := NewConn(t.Context(), conn, "", &Options{StepTimeout: 4 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			client := *plain
			client.Retry = func(context.Context, error) *sasl.Client {
				t.Error("asked for another attempt")
				return nil
			}
			began := time.Now()
			_, err = c.Authenticate(t.Context(), &client)
			if err.Error() != row.text {
				t.Errorf("%v, want %s", err, row.text)
			}
			if !conn.closed.Load() || time.Since(began) > 5*time.Second {
				t.Errorf("closed: %t, after %s", conn.closed.Load(), time.Since(began))
			}
		})
	}
}

// TestByeDrips: lines that never end do not prolong the wait after BYE.
func TestByeDrips(t *testing.T) {
	near, far := sasltest.Pair(t)
	go func() {
		for _, err := far.Write([]byte("* OK hi\r\n* BYE busy\r\n")); err == nil; time.Sleep(50 * time.Millisecond) {
			_, err = far.Write([]byte("* 1 EXISTS\r\n"))
		}
	}()
	time.AfterFunc(5*time.Second, func() { near.Close() })
	began := time.Now()
	_, err := NewConn(t.Context(), near, "", nil)
	if !strings.HasPrefix(err.Error(), "connection error: the server ends the connection: busy (step: capabilities") || time.Since(began) > 4*time.Second {
		t.Errorf("%v after %s", err, time.Since(began))
	}
}

// TestByeBeforeTheLogin: the refusal of a command that is not the login is not what
// the caller has to know.
func TestByeBeforeTheLogin(t *testing.T) {
	_, err := NewStartTLS(t.Context(), prompt(t, "* OK hi", "<A1 STARTTLS", "* BYE [REFERRAL imap://other.example.org/] moved", "A1 NO no"), host, nil)
	if errors.Is(err, transport.ErrNoStartTLS) || sasl.ClassOf(err) != sasl.ErrConnection || !strings.HasPrefix(err.Error(), "connection error: the server ends the connection: moved imap://other.example.org/ (") {
		t.Error(err)
	}
}

// noDeadline is a connection that has no deadlines.
type noDeadline struct{ net.Conn }

func (noDeadline) SetReadDeadline(time.Time) error { return errors.ErrUnsupported }

// TestByeWithoutDeadline: without a deadline there is no wait.
func TestByeWithoutDeadline(t *testing.T) {
	for lines, want := range map[string]string{
		"* OK hi\r\n* BYE busy": "connection error: the server ends the connection: busy (",
		"220":                   "protocol error: the server does not speak IMAP on this port (",
	} {
		_, err := NewConn(t.Context(), noDeadline{sasltest.Scripted(t, lines)}, "", &Options{StepTimeout: 5 * time.Second})
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v", lines, err)
		}
	}
}

// TestAbortIsNotSuccess: only a refusal acknowledges an abort. After anything else
// the connection is not in sync and is closed, and the first reason stays.
func TestAbortIsNotSuccess(t *testing.T) {
	const reason = "protocol error: the server's challenge "
	for name, row := range map[string]struct {
		lines  []string
		closed bool
	}{
		"acknowledged, NO":  {[]string{"A1 NO cancelled"}, false},
		"acknowledged, BAD": {[]string{"A1 BAD cancelled"}, false},
		"success":           {[]string{"A1 OK welcome"}, true},
		"a challenge":       {[]string{"+ "}, true},
		"BYE":               {[]string{"* BYE so be it", "A1 NO cancelled"}, true},
		"another tag":       {[]string{"A2 NO cancelled"}, true},
		"silence":           {nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := &closing{Conn: prompt(t, append([]string{listsSASLIR, "<A1 AUTHENTICATE PLAIN " + plainMessage, "+ go ahead", "<*"}, row.lines...)...)}
			c, err := NewConn(t.Context(), conn, "", nil)
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			_, err = c.Authenticate(t.Context(), plain)
			if sasl.ClassOf(err) != sasl.ErrProtocol || !strings.HasPrefix(err.Error(), reason) {
				t.Errorf("%v, want %s", err, reason)
			}
			if conn.closed.Load() != row.closed || time.Since(began) > 5*time.Second {
				t.Errorf("closed: %t, after %s", conn.closed.Load(), time.Since(began))
			}
		})
	}
}

// TestAbortDrips: lines that never end do not prolong the wait for the
// acknowledgement of an abort.
func TestAbortDrips(t *testing.T) {
	for name, dripped := range map[string]string{"untagged": "* 1 EXISTS\r\n", "within a line": "*", "literals": "* X {1}\r\nx\r\n"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			near, far := sasltest.Pair(t)
			near.SetDeadline(time.Now().Add(8 * time.Second))
			go func() {
				far.Write([]byte(listsSASLIR + "\r\n"))
				far.Read(make([]byte, 256))
				for _, err := far.Write([]byte("+ go ahead\r\n")); err == nil; time.Sleep(50 * time.Millisecond) {
					_, err = far.Write([]byte(dripped))
				}
			}()
			c, err := NewConn(t.Context(), near, "", nil)
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			_, err = c.Authenticate(t.Context(), plain)
			if sasl.ClassOf(err) != sasl.ErrProtocol || !strings.HasPrefix(err.Error(), "protocol error: the server's challenge ") || time.Since(began) > 5*time.Second {
				t.Errorf("%v after %s", err, time.Since(began))
			}
		})
	}
}

// TestExistingBye: a refusal after BYE is the outcome for the library's client too.
func TestExistingBye(t *testing.T) {
	client := imapclient.New(prompt(t, listsSASLIR, "<T1 AUTHENTICATE PLAIN "+plainMessage, "* BYE too many", "T1 NO [AUTHENTICATIONFAILED] wrong"), nil)
	defer client.Close()
	_, err := Authenticate(t.Context(), client, plain, Existing{})
	var own *imap.Error
	if sasl.ClassOf(err) != sasl.ErrAuthentication || !errors.As(err, &own) {
		t.Error(err)
	}
}
