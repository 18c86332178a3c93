package sasl_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestSourceWaits: a context that ends while the source waits ends the login, and
// nobody is asked again.
func TestSourceWaits(t *testing.T) {
	for name, row := range map[string]struct {
		waitsAt int // which question
		lines   []sasltest.Line
		is      sasl.Class
	}{
		"for the first token": {1, []sasltest.Line{closes}, ""},
		"for a fresh one":     {2, []sasltest.Line{oauthMessage("ya29.1"), refuse(sasl.NotAuthorized), closes}, ""},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		asked := 0
		client := bearerClient(func(ctx context.Context, _ sasl.Prompt) (sasl.BearerToken, error) {
			asked++
			if asked == row.waitsAt {
				time.AfterFunc(10*time.Millisecond, cancel)
				<-ctx.Done()
				return sasl.BearerToken{}, ctx.Err()
			}
			return sasl.BearerToken{Username: "alice", Token: sasl.NewSecret("ya29.1"), Renewable: true}, nil
		})
		client.Retry = func(context.Context, error) *sasl.Client {
			t.Errorf("%s: asked for another attempt", name)
			return nil
		}
		peer := sasltest.NewPeer(row.lines...)
		_, err := client.Authenticate(ctx, peer, bearerSrv)
		if sasl.ClassOf(err) != sasl.ErrConnection || !errors.Is(err, context.Canceled) || asked != row.waitsAt || !peer.Closed() {
			t.Errorf("%s: %v, asked %d times, closed %t", name, err, asked, peer.Closed())
		}
		cancel()
	}
}

// TestRefusedAsContextEnds: a context that ends while the server refuses leads to no
// further question, of the source or of the caller.
func TestRefusedAsContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	source := &tokensInTurn{tokens: []string{"ya29.1", "ya29.2"}}
	client := bearerClient(source.source)
	client.Trace = func(e sasl.Event) {
		if e.Kind == sasl.EventRefused {
			cancel()
		}
	}
	client.Retry = func(context.Context, error) *sasl.Client { t.Error("Retry was asked"); return nil }
	peer := sasltest.NewPeer(oauthMessage("ya29.1"), s(`{"status":"invalid_token"}`), c("\x01"), refuse(sasl.NotAuthorized))
	_, err := client.Authenticate(ctx, peer, bearerSrv)
	if sasl.ClassOf(err) != sasl.ErrConnection || !errors.Is(err, context.Canceled) || len(source.refused) != 1 {
		t.Errorf("%v, the source was told %q", err, source.refused)
	}
}

// TestSourceRefuses: an error of the source is no refusal by the server, whatever its
// class is. The source is not asked again.
func TestSourceRefuses(t *testing.T) {
	asked := 0
	_, err := bearerClient(func(context.Context, sasl.Prompt) (sasl.BearerToken, error) {
		asked++
		return sasl.BearerToken{}, sasl.ErrAuthentication
	}).Authenticate(t.Context(), sasltest.NewPeer(), bearerSrv)
	if sasl.ClassOf(err) != sasl.ErrAuthentication || strings.Contains(err.Error(), "second attempt") || asked != 1 || hints(err) != "" {
		t.Errorf("%v, asked %d times", err, asked)
	}
}

// TestBearerServerOnce: an exchange takes one token.
func TestBearerServerOnce(t *testing.T) {
	verify := func(context.Context, sasl.BearerLogin) (string, error) { return "alice", nil }
	x := sasl.OAuthBearerServer(verify).New(sasl.ServerTerms{
		Canonical: func(name string) (string, error) { return name, nil },
		Authorize: func(context.Context, sasl.Identity) error { return nil },
	})
	message := []byte("n,,\x01auth=Bearer tok\x01\x01")
	if _, done, err := x.Step(t.Context(), message); !done || err != nil {
		t.Fatal(done, err)
	}
	for range 2 {
		if out, done, err := x.Step(t.Context(), message); out != nil || done || sasl.ClassOf(err) != sasl.ErrProtocol {
			t.Errorf("%q, %t, %v", out, done, err)
		}
	}
}
