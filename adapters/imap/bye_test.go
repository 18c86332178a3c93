package saslimap

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
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
		synctest.Test(t, func(t *testing.T) {
			lines := append([]string{listsSASLIR, "<A1 AUTHENTICATE PLAIN " + plainMessage}, row.lines...)
			conn := &closing{Conn: piped(t, lines...)}
			c, err := NewConn(t.Context(), conn, "", &Options{StepTimeout: time.Minute})
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
				t.Errorf("%s: %v, want %s", name, err, row.text)
			}
			if !conn.closed.Load() || time.Since(began) > 2*time.Second {
				t.Errorf("%s: closed: %t, after %s", name, conn.closed.Load(), time.Since(began))
			}
		})
	}
}

// TestByeDrips: lines that never end do not prolong the wait after BYE.
func TestByeDrips(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, err := NewConn(t.Context(), dripping(t, "", "* OK hi\r\n* BYE busy\r\n", "* 1 EXISTS\r\n"), "", nil)
		if !strings.HasPrefix(err.Error(), "connection error: the server ends the connection: busy (step: capabilities") || time.Since(began) > 2*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
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
		synctest.Test(t, func(t *testing.T) {
			conn := &closing{Conn: piped(t, append([]string{listsSASLIR, "<A1 AUTHENTICATE PLAIN " + plainMessage, "+ go ahead", "<*"}, row.lines...)...)}
			c, err := NewConn(t.Context(), conn, "", nil)
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			_, err = c.Authenticate(t.Context(), plain)
			if sasl.ClassOf(err) != sasl.ErrProtocol || !strings.HasPrefix(err.Error(), reason) {
				t.Errorf("%s: %v, want %s", name, err, reason)
			}
			if conn.closed.Load() != row.closed || time.Since(began) > 3*time.Second {
				t.Errorf("%s: closed: %t, after %s", name, conn.closed.Load(), time.Since(began))
			}
		})
	}
}

// TestAbortDrips: lines that never end do not prolong the wait for the
// acknowledgement of an abort.
func TestAbortDrips(t *testing.T) {
	for name, dripped := range map[string]string{"untagged": "* 1 EXISTS\r\n", "within a line": "*", "literals": "* X {1}\r\nx\r\n"} {
		synctest.Test(t, func(t *testing.T) {
			c, err := NewConn(t.Context(), dripping(t, listsSASLIR+"\r\n", "+ go ahead\r\n", dripped), "", nil)
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			_, err = c.Authenticate(t.Context(), plain)
			if sasl.ClassOf(err) != sasl.ErrProtocol || !strings.HasPrefix(err.Error(), "protocol error: the server's challenge ") || time.Since(began) > 3*time.Second {
				t.Errorf("%s: %v after %s", name, err, time.Since(began))
			}
		})
	}
}

// dripping is a connection to a server that greets, reads something, answers it and
// then repeats a text every 50 ms, whatever the client does. An empty greeting is
// none, and the server does not read.
func dripping(t *testing.T, greeting, answer, dripped string) net.Conn {
	near, far := net.Pipe()
	done := make(chan struct{})
	t.Cleanup(func() { near.Close(); <-done })
	go func() {
		defer close(done)
		if greeting != "" {
			io.WriteString(far, greeting)
			far.Read(make([]byte, 256))
		}
		go io.Copy(io.Discard, far)
		for _, err := io.WriteString(far, answer); err == nil; time.Sleep(50 * time.Millisecond) {
			_, err = io.WriteString(far, dripped)
		}
	}()
	return near
}

// piped is sasltest.Scripted over a connection that exists in memory only, so that
// synctest knows when everybody waits. It does not know "~".
func piped(t *testing.T, lines ...string) net.Conn {
	near, far := net.Pipe()
	done := make(chan struct{})
	t.Cleanup(func() { near.Close(); <-done })
	go func() {
		defer close(done)
		reader := bufio.NewReader(far)
		for _, line := range lines {
			want, isWanted := strings.CutPrefix(line, "<")
			switch {
			case line == "!":
				far.Close()
			case !isWanted:
				io.WriteString(far, line+"\r\n")
			default:
				if got, err := reader.ReadString('\n'); got != want+"\r\n" {
					t.Errorf("the client sent %.80q, %v, want %.80q", got, err, want)
				}
			}
		}
		io.Copy(io.Discard, reader)
		far.Close()
	}()
	return near
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
