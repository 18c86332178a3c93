package sasltest

import (
	"context"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// TestTranscriptsAreComplete shows that each transcript has a source and lines that
// match its expectation, and that the number of transcripts is as expected, so that
// no transcript is lost.
func TestTranscriptsAreComplete(t *testing.T) {
	transcripts := Transcripts()
	if got, want := len(transcripts), 285; got != want {
		t.Errorf("%d transcripts, want %d", got, want)
	}
	for _, tr := range transcripts {
		succeeds := len(tr.Lines) > 0 && tr.Lines[len(tr.Lines)-1].Op == Succeed
		if succeeds != (tr.Expect == Success) {
			t.Errorf("%s: expects %v and ends with %q", tr.Name, tr.Expect, tr.Lines)
		}
		if strings.Contains(tr.MechanismName, "SCRAM") && len(tr.Lines) > 0 && (tr.ClientNonce == "" || len(tr.Salt) == 0) {
			t.Errorf("%s: no nonce or salt", tr.Name)
		}
		if strings.HasPrefix(tr.MechanismName, "HT-") != (tr.Token != "") {
			t.Errorf("%s: the token is %q", tr.Name, tr.Token)
		}
	}
}

func TestParse(t *testing.T) {
	const head = "source: here\nmechanism: X\nexpect: success\n"
	tr, err := Parse("name", head+"# a comment\nusername: \"a\\x00b\"\n\nC: -\nS: \"\"\nC: \"a\" repeat(\"bc,\",2) \"d\"\nS+ -\n")
	if err != nil {
		t.Fatal(err)
	}
	if tr.Username != "a\x00b" || tr.Lines[0].Data != nil || tr.Lines[1].Data == nil || string(tr.Lines[2].Data) != "abc,bc,d" {
		t.Errorf("%+v", tr)
	}
	for _, text := range []string{
		"", "source: here\n", head + "unknown: x\n", head + "no header\n", head + "\nX: \"\"\n",
		head + "\nC: unquoted\n", head + "\nC*  x\n", head + "\nC: repeat(\"a\",x)\n", head + "\nC: repeat(\"a\",99999999)\n",
		head + "username: unquoted\n", head + "salt: !\n", head + "iterations: x\n", head + "flag: \n", head + "flag: yes\n", head + "\nC: \"a\" x\n",
	} {
		if _, err := Parse("name", text); err == nil {
			t.Errorf("no error for %q", text)
		}
	}
}

// TestScriptedMechanism shows that the mechanism of a successful transcript sends its
// lines to a Peer with the same lines, and detects every difference.
func TestScriptedMechanism(t *testing.T) {
	for _, tr := range Transcripts() {
		if tr.Role == Server || len(tr.Lines) == 0 || tr.Lines[0].Data == nil {
			continue
		}
		peer := NewPeer(tr.Lines...)
		client := &sasl.Client{Mechanisms: []sasl.Mechanism{tr.Mechanism()}, Allow: func(sasl.Candidate) error { return nil }}
		srv := sasl.ServerInfo{Mechanisms: []string{tr.MechanismName}, Bindings: []sasl.ChannelBinding{{Type: "x", Data: []byte{1}}}}
		_, err := client.Authenticate(t.Context(), peer, srv)
		if want := tr.Expect; (want == Success) != (err == nil) || err != nil && sasl.ClassOf(err) != want {
			t.Errorf("%s: %v, want %s", tr.Name, err, want)
		}
		if err := peer.Fault(); err != nil {
			t.Errorf("%s: %v", tr.Name, err)
		}
		for i, line := range tr.Lines {
			if line.Op != Challenge || len(line.Data) == 0 {
				continue
			}
			lines := append([]Line(nil), tr.Lines...)
			lines[i].Data = append([]byte("x"), line.Data...)
			if _, err := client.Authenticate(context.Background(), NewPeer(lines...), srv); err == nil {
				t.Errorf("%s: line %d changed, and the mechanism did not detect the change", tr.Name, i)
			}
		}
	}
}

// TestPeerNotices shows that a Peer records every deviation of the client from the
// lines.
func TestPeerNotices(t *testing.T) {
	line := func(op Op, data string) Line { return Line{Op: op, Data: []byte(data)} }
	for name, act := range map[string]func(p *Peer){
		"nothing":       func(p *Peer) {},
		"other message": func(p *Peer) { p.Initiate(t.Context(), "X", []byte("b")) },
		"no message":    func(p *Peer) { p.Initiate(t.Context(), "X", nil) },
		"abort":         func(p *Peer) { p.Abort(t.Context()) },
		"close":         func(p *Peer) { p.Initiate(t.Context(), "X", []byte("a")); p.Close() },
		"more":          func(p *Peer) { p.Initiate(t.Context(), "X", []byte("a")); p.Respond(t.Context(), []byte{}) },
	} {
		peer := NewPeer(line(ClientSends, "a"), Line{Op: Succeed})
		act(peer)
		if peer.Fault() == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	names, err := files.ReadDir("testdata")
	if err != nil {
		f.Fatal(err)
	}
	for _, entry := range names {
		text, err := files.ReadFile("testdata/" + entry.Name())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) { Parse("fuzz", text) })
}
