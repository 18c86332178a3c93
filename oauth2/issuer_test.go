package sasloauth2_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
	"go.uber.org/goleak"
	"golang.org/x/oauth2"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// issuer is an authorization server that issues ya29-1, ya29-2 and so on.
type issuer struct {
	*httptest.Server
	mu       sync.Mutex
	requests []url.Values
	status   int    // of the answer; 0 = 200
	body     string // of the answer; "" = a token
	wait     chan struct{}
}

func newIssuer(t *testing.T) *issuer {
	i := new(issuer)
	i.Server = httptest.NewServer(i)
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.ParseForm()
	i.mu.Lock()
	i.requests = append(i.requests, r.PostForm)
	n := len(i.requests)
	i.mu.Unlock()
	if i.wait != nil {
		select {
		case <-i.wait:
		case <-r.Context().Done():
		}
	}
	w.Header().Set("Content-Type", "application/json")
	if i.status != 0 {
		w.WriteHeader(i.status)
	}
	if i.body != "" {
		fmt.Fprint(w, i.body)
		return
	}
	fmt.Fprintf(w, `{"access_token":"ya29-%d","token_type":"Bearer","expires_in":3600,"refresh_token":"refresh-%d"}`, n, n)
}

func (i *issuer) asked() []url.Values {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.requests
}

func (i *issuer) config() *oauth2.Config {
	return &oauth2.Config{ClientID: "mailer", ClientSecret: "hunter2-Secret", Endpoint: oauth2.Endpoint{TokenURL: i.URL, AuthStyle: oauth2.AuthStyleInParams}}
}

// context has the HTTP client of the issuer, whose connections end with the test.
func (i *issuer) context(t *testing.T) context.Context {
	return context.WithValue(t.Context(), oauth2.HTTPClient, i.Client())
}

func stored(access, refresh string) *oauth2.Token {
	return &oauth2.Token{AccessToken: access, RefreshToken: refresh, Expiry: time.Now().Add(time.Hour)}
}

var server = sasl.ServerInfo{Secure: true, Mechanisms: []string{"XOAUTH2"}}

func login(ctx context.Context, source sasl.BearerSource, lines ...sasltest.Line) error {
	peer := sasltest.NewPeer(lines...)
	_, err := (&sasl.Client{Mechanisms: sasl.BearerMechanisms(source)}).Authenticate(ctx, peer, server)
	if fault := peer.Fault(); fault != nil {
		return fmt.Errorf("the server: %w; the client: %w", fault, err)
	}
	return err
}

// sends is the client's message.
func sends(token string) sasltest.Line {
	return sasltest.Line{Op: sasltest.ClientSends, Data: []byte("user=alice@example.org\x01auth=Bearer " + token + "\x01\x01")}
}

var (
	succeeds = sasltest.Line{Op: sasltest.Succeed}
	refuses  = sasltest.Line{Op: sasltest.Refuse, Condition: sasl.NotAuthorized}
)

const alice = "alice@example.org"
