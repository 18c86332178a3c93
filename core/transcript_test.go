package sasl_test

import (
	"crypto/fips140"
	"errors"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

var hashes = []sasl.Hash{sasl.SHA1, sasl.SHA224, sasl.SHA256, sasl.SHA384, sasl.SHA512, sasl.SHA3_512}

func allowAll(sasl.Candidate) error { return nil }

// clientMechanism returns the real mechanism with a transcript's inputs.
func clientMechanism(t *testing.T, tr *sasltest.Transcript) sasl.Mechanism {
	credentials := sasl.Password(tr.Username, tr.Password).ActingAs(tr.Authzid).InRealm(tr.Realm)
	switch tr.MechanismName {
	case "PLAIN":
		return sasl.Plain(credentials)
	case "LOGIN":
		return sasl.Login(credentials)
	case "CRAM-MD5":
		return sasl.CRAMMD5(credentials)
	case "DIGEST-MD5":
		return sasl.DigestMD5(credentials)
	case "ANONYMOUS":
		return sasl.Anonymous(tr.Trace)
	case "EXTERNAL":
		return sasl.External(tr.Authzid)
	}
	if tr.Bearer != "" {
		return bearerMechanism(t, tr)
	}
	if tr.Token != "" { // the Client's Tokens have the mechanism
		return sasl.External("")
	}
	for _, h := range hashes {
		switch tr.MechanismName {
		case h.Mechanism():
			return sasl.SCRAM(h, credentials)
		case h.Mechanism() + "-PLUS":
			return sasl.SCRAMPlus(h, credentials)
		}
	}
	t.Fatalf("no client mechanism %s", tr.MechanismName)
	return nil
}

// underFIPS changes a transcript for a process that enforces FIPS 140: MD5 and SHA-1
// are not used at all, and a salt of less than 16 octets ends the exchange before the key
// derivation.
func underFIPS(tr *sasltest.Transcript) *sasltest.Transcript {
	historic := strings.HasSuffix(tr.MechanismName, "-MD5")
	if !fips140.Enforced() || !historic && !strings.HasPrefix(tr.MechanismName, "SCRAM-") {
		return tr
	}
	changed := *tr
	switch {
	case tr.Expect == sasl.ErrConfig:
	case historic, strings.HasPrefix(tr.MechanismName, "SCRAM-SHA-1"):
		changed.Expect, changed.Lines = sasl.ErrPolicy, nil
	case len(tr.Salt) < 16:
		changed.Expect = sasl.ErrPolicy
		changed.Lines = []sasltest.Line{tr.Lines[0], tr.Lines[1], {Op: sasltest.ClientAborts}}
	}
	return &changed
}

// TestClientTranscripts replays every transcript with the real mechanisms,
// also with the last challenge as success data.
func TestClientTranscripts(t *testing.T) {
	for _, tr := range sasltest.Transcripts() {
		if tr.Role == sasltest.Server {
			continue
		}
		tr = underFIPS(tr)
		t.Run(tr.Name, func(t *testing.T) { replayClient(t, tr, false) })
		if with, ok := tr.WithSuccessData(); ok {
			t.Run(tr.Name+"/success data", func(t *testing.T) { replayClient(t, with, true) })
		}
	}
}

func replayClient(t *testing.T, tr *sasltest.Transcript, successData bool) {
	t.Parallel()
	mechanism := clientMechanism(t, tr)
	client := &sasl.Client{Mechanisms: []sasl.Mechanism{mechanism}, Allow: allowAll}
	client.SetNonce(tr.ClientNonce)
	srv := sasl.ServerInfo{Mechanisms: []string{tr.MechanismName}, SuccessData: successData, Service: tr.Service, Host: tr.Host, Port: tr.Port}
	switch tr.Flag {
	case 'p':
		srv.Bindings = []sasl.ChannelBinding{tr.Binding}
	case 'y': // we can bind, and the server does not offer a mechanism that binds
		client.Mechanisms = append(client.Mechanisms, sasl.SCRAMPlus(sasl.SHA256, sasl.Password("", "")))
		srv.Bindings = []sasl.ChannelBinding{{Type: "tls-exporter", Data: []byte("data")}}
	}
	if tr.Token != "" {
		giveToken(t, client, &srv, tr)
	}
	if tr.Offered != nil {
		srv.Downgrade, srv.Mechanisms, srv.AdvertisedBindings, srv.TLSVersion = true, tr.Offered, tr.BindingTypes, tr.TLSVersion
	}
	peer := sasltest.NewPeer(tr.Lines...)
	peer.Tokens = []string{tr.MechanismName}
	result, err := client.Authenticate(t.Context(), peer, srv)
	if err := peer.Fault(); err != nil {
		t.Error(err)
	}
	if tr.Expect != sasltest.Success {
		if sasl.ClassOf(err) != tr.Expect || !errors.Is(err, tr.Expect) {
			t.Errorf("class %q, want %q (%v)", sasl.ClassOf(err), tr.Expect, err)
		}
		if client.Tokens != nil {
			checkSilent(t, "error", err.Error(), tr.Token)
		}
		if tr.Password != "" && err != nil && strings.Contains(err.Error(), tr.Password) {
			t.Errorf("the error tells the password: %v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if result.Mechanism != tr.MechanismName || result.Authzid != tr.Authzid || result.Binding != tr.Binding.Type {
		t.Errorf("result %+v", result)
	}
}
