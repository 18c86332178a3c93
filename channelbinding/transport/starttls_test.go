package transport

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

func TestNoStartTLS(t *testing.T) {
	library := &textproto.Error{Code: 502, Msg: "no"}
	const text = "security error: the server refuses STARTTLS or does not offer it, or somebody removed the offer"
	for _, row := range []struct {
		name string
		err  error
		want string
	}{
		{"not offered", NoStartTLS("", nil), text},
		{"refused", NoStartTLS("no\x1b[2J", library), text + ": no[2J"},
		{"refused with a class", NoStartTLS("no", sasl.ErrTemporary), text + ": no"},
	} {
		if row.err.Error() != row.want || !errors.Is(row.err, ErrNoStartTLS) || sasl.ClassOf(row.err) != sasl.ErrSecurity {
			t.Errorf("%s: %v, class %s", row.name, row.err, sasl.ClassOf(row.err))
		}
	}
	if found := new(textproto.Error); !errors.As(NoStartTLS("no", library), &found) || found.Code != 502 {
		t.Error("the library's error is lost")
	}
}

func TestNothingBehind(t *testing.T) {
	for in, want := range map[string]sasl.Class{"220 go\r\n": "", "220 go\r\n2": sasl.ErrSecurity} {
		r := bufio.NewReader(strings.NewReader(in))
		if _, err := ReadLine(r); err != nil {
			t.Fatal(err)
		}
		if err := NothingBehind(r); sasl.ClassOf(err) != want || (err == nil) != (want == "") {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func TestStartTLSError(t *testing.T) {
	for _, row := range []struct {
		err  error
		want sasl.Class
	}{
		{nil, ""},
		{tls.RecordHeaderError{Msg: "x"}, sasl.ErrSecurity},
		{fmt.Errorf("%w: %w", sasl.ErrConnection, tls.RecordHeaderError{Msg: "x"}), sasl.ErrSecurity},
		{&tls.CertificateVerificationError{Err: errors.New("x")}, sasl.ErrSecurity},
		{net.ErrClosed, sasl.ErrConnection},
		{sasl.ErrPolicy, sasl.ErrPolicy},
	} {
		if got := StartTLSError(row.err); sasl.ClassOf(got) != row.want || (got == nil) != (row.err == nil) {
			t.Errorf("%v: %v", row.err, got)
		}
	}
}
