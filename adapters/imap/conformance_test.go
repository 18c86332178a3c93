package saslimap

import (
	"context"
	"net"
	"slices"
	"testing"

	"github.com/emersion/go-imap/v2/imapclient"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

func conditions() (list []sasl.Condition) {
	for condition := range codes {
		if condition != sasl.Aborted { // BAD is malformed-request except in answer to "*"
			list = append(list, condition)
		}
	}
	slices.Sort(list)
	return list
}

var malformed = []sasltest.Malformed{
	{Name: "not base64", Frame: "+ !!!!\r\n", Class: sasl.ErrProtocol, InSync: true},
	{Name: "text", Frame: "+ go ahead\r\n", Class: sasl.ErrProtocol, InSync: true},
	{Name: "base64 cut short", Frame: "+ YWJj=\r\n", Class: sasl.ErrProtocol, InSync: true},
	{Name: "base64 with trailing bits", Frame: "+ YR==\r\n", Class: sasl.ErrProtocol, InSync: true},
	{Name: "carriage return in base64", Frame: "+ YW\rJj\r\n", Class: sasl.ErrProtocol, InSync: true},
	{Name: "no IMAP", Frame: "HTTP/1.1 400 Bad Request\r\n", Class: sasl.ErrProtocol},
	{Name: "another command's tag", Frame: "Z99 OK done\r\n", Class: sasl.ErrProtocol},
	{Name: "another command's refusal", Frame: "Z99 NO done\r\n", Class: sasl.ErrProtocol},
	{Name: "tag without status", Frame: "A1 MAYBE\r\n", Class: sasl.ErrProtocol},
	{Name: "response code without end", Frame: "A1 OK [CAPABILITY\r\n", Class: sasl.ErrProtocol},
	{Name: "tagged BYE", Frame: "A1 BYE\r\n", Class: sasl.ErrProtocol},
	{Name: "empty line", Frame: "\r\n", Class: sasl.ErrProtocol},
	{Name: "NUL", Frame: "\x00\r\n", Class: sasl.ErrProtocol},
	{Name: "BYE", Frame: "* BYE too many\r\n", Class: sasl.ErrConnection},
	{Name: "literal without end", Frame: "* LIST {2147483647}\r\n", Class: sasl.ErrProtocol},
}

// TestConn runs the conformance kit on a Conn.
func TestConn(t *testing.T) {
	sasltest.TestAdapter(t, sasltest.Adapter{
		Wire:       newWire,
		Conditions: conditions(),
		Malformed:  malformed,
		Dial: func(ctx context.Context, conn net.Conn, client *sasl.Client) (sasl.Result, error) {
			c, err := NewConn(ctx, conn, "", nil)
			if err != nil {
				return sasl.Result{}, err
			}
			return c.Authenticate(ctx, client)
		},
	})
}

// TestExistingConforms runs the kit on the library's own client.
func TestExistingConforms(t *testing.T) {
	sasltest.TestAdapter(t, sasltest.Adapter{
		Wire: func(conn net.Conn) sasltest.Wire {
			w := newWire(conn).(*serverWire)
			w.equals = "="
			return w
		},
		Conditions: conditions(),
		Aborts:     sasltest.Closes,
		Dial: func(ctx context.Context, conn net.Conn, client *sasl.Client) (sasl.Result, error) {
			c := imapclient.New(conn, nil)
			result, err := Authenticate(ctx, c, client, Existing{EqualsSign: true})
			if err != nil {
				c.Close()
			}
			return result, err
		},
		Cannot: map[string]string{
			sasltest.CaseEmptyMessages:       "the library takes an empty challenge for the request of the initial response",
			sasltest.CaseDeferred:            "the library takes success for a message that it has not sent",
			sasltest.CaseDeferredToChallenge: "the library gives the challenge to the mechanism",
			sasltest.CaseAttemptAfterAbort:   "the library cannot abort",
			sasltest.CaseMalformed:           "the library reads the frames",
			sasltest.CaseOverLong:            "the library reads lines of any length",
		},
	})
}
