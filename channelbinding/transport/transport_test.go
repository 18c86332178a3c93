package transport

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

func TestClassify(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, row := range []struct {
		ctx   context.Context
		err   error
		class sasl.Class
		is    error
	}{
		{t.Context(), nil, "", nil},
		{t.Context(), io.ErrUnexpectedEOF, sasl.ErrConnection, io.ErrUnexpectedEOF},
		{t.Context(), sasl.ErrSecurity, sasl.ErrSecurity, sasl.ErrSecurity},
		{ended, nil, sasl.ErrConnection, context.Canceled},
		{ended, io.ErrUnexpectedEOF, sasl.ErrConnection, context.Canceled},
		{ended, sasl.ErrSecurity, sasl.ErrConnection, context.Canceled},
		{ended, sasl.ErrSecurity, sasl.ErrConnection, sasl.ErrSecurity},
		{ended, context.Canceled, sasl.ErrConnection, context.Canceled},
	} {
		got := Classify(row.ctx, row.err)
		if sasl.ClassOf(got) != row.class || row.is != nil && !errors.Is(got, row.is) || (got == nil) != (row.class == "") {
			t.Errorf("%v: %v", row.err, got)
		}
	}
}

// layer is a connection around another.
type layer struct {
	net.Conn
	name   string
	closed *[]string
}

func (l layer) NetConn() net.Conn { return l.Conn }

func (l layer) Close() error {
	*l.closed = append(*l.closed, l.name)
	return errors.New(l.name)
}

// TestClose: from the lowest up, and all of them.
func TestClose(t *testing.T) {
	var closed []string
	conn := layer{layer{nil, "below", &closed}, "above", &closed}
	if err := Close(conn); err == nil || err.Error() != "below" || strings.Join(closed, " ") != "below above" {
		t.Errorf("%v, %q", err, closed)
	}
}
