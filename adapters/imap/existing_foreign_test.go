package saslimap

import (
	"context"
	"encoding/base64"
	"errors"
	"testing"

	"github.com/emersion/go-imap/v2/imapclient"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// foreign is a mechanism of another module: one message.
type foreign struct{ single bool }

func (foreign) Name() string { return "X-FOREIGN" }
func (m foreign) Properties() sasl.Properties {
	return sasl.Properties{SingleMessage: m.single, KeepsSecret: true}
}
func (foreign) New(sasl.Terms) sasl.Exchange     { return new(foreignExchange) }
func (*foreignExchange) Identity() sasl.Identity { return sasl.Identity{} }

type foreignExchange struct{ sent bool }

func (x *foreignExchange) Step(context.Context, []byte) ([]byte, bool, error) {
	if x.sent {
		return nil, false, sasl.ErrProtocol
	}
	x.sent = true
	return []byte("hello"), true, nil
}

// TestExistingForeign: a client that exists already takes a mechanism of another
// module if the mechanism declares that it is a single message.
func TestExistingForeign(t *testing.T) {
	line := "<T2 AUTHENTICATE X-FOREIGN " + base64.StdEncoding.EncodeToString([]byte("hello"))
	for single, lines := range map[bool][]string{true: {line, "T2 OK welcome"}, false: nil} {
		client := imapclient.New(sasltest.Scripted(t, append([]string{"* OK [CAPABILITY IMAP4rev1] hi", "<T1 CAPABILITY", "* CAPABILITY IMAP4rev1 SASL-IR AUTH=X-FOREIGN", "T1 OK done"}, lines...)...), nil)
		result, err := Authenticate(soon(t), client, &sasl.Client{Mechanisms: []sasl.Mechanism{foreign{single}}}, Existing{Secure: true})
		if single && (err != nil || result.Mechanism != "X-FOREIGN") || !single && !errors.Is(err, sasl.ErrPolicy) {
			t.Errorf("single %t: %+v, %v", single, result, err)
		}
		client.Close()
	}
}
