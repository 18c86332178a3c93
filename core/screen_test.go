package sasl_test

import (
	"context"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// screened is a connection whose other texts are screened. It notes, before each
// message, which of three texts repeat a secret by then.
type screened struct {
	*sasltest.Peer
	seen []string
	last func(string) bool
}

func (s *screened) Screen(repeats func(string) bool) {
	s.last = repeats
	got := ""
	for _, text := range []string{"you said wrong-one", "you said right-one", "you said nothing"} {
		if repeats(text) {
			got += "x"
		} else {
			got += "-"
		}
	}
	s.seen = append(s.seen, got)
}

// TestScreen: an adapter knows before each message which texts repeat a secret of
// the login, those of earlier attempts included, and for a mechanism that does not
// say what in its messages is secret.
func TestScreen(t *testing.T) {
	conn := &screened{Peer: sasltest.NewPeer(c("\x00tim\x00wrong-one"), refuse(sasl.NotAuthorized), c("\x00tim\x00right-one"), succeed)}
	client := plainClient("wrong-one")
	client.Retry = func(context.Context, error) *sasl.Client { return plainClient("right-one") }
	if _, err := client.Authenticate(t.Context(), conn, plainServer); err != nil {
		t.Fatal(err)
	}
	if len(conn.seen) != 2 || conn.seen[0] != "x--" || conn.seen[1] != "xx-" {
		t.Errorf("%q", conn.seen)
	}
	if !conn.last("r i g h t - o n e") || !conn.last("cmlnaHQtb25l") || conn.last("goodbye") {
		t.Error("after the login other texts are shown")
	}

	said := &screened{Peer: sasltest.NewPeer()}
	client = &sasl.Client{Mechanisms: []sasl.Mechanism{played{moves: []move{{out: []byte("right-one"), done: true}}}}}
	_, err := client.Drive(t.Context(), said, playedServer, func(s *sasl.Session) error {
		_, _, err := s.Start()
		return err
	})
	if err != nil || len(said.seen) != 1 || said.seen[0] != "xx-" { // "-one" is a part of the message
		t.Errorf("%q, %v", said.seen, err)
	}
}

// TestRepeats: a loop that somebody else owns can ask about a text. Before the
// message goes out the text is no echo.
func TestRepeats(t *testing.T) {
	session, err := plainClient("right-one").Begin(t.Context(), plainServer)
	if err != nil {
		t.Fatal(err)
	}
	if session.Repeats("you said right-one") {
		t.Error("nothing was sent yet")
	}
	if _, _, err := session.Start(); err != nil {
		t.Fatal(err)
	}
	if !session.Repeats("you said right-one") || session.Repeats("you said wrong") {
		t.Error("after the message")
	}
}
