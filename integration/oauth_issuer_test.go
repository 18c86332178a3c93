package integration

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
	sasloauth2 "github.com/saslkit/saslkit/oauth2"
)

// authorizationServer issues tokens (RFC 6749 s3.2) that an issuer signs.
type authorizationServer struct {
	issuer *harness.Issuer
	mutex  sync.Mutex
	grants []string // the types of the requests
}

func (s *authorizationServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mutex.Lock()
	s.grants = append(s.grants, r.FormValue("grant_type"))
	s.mutex.Unlock()
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{
		"access_token": s.issuer.Token(nil), "token_type": "Bearer", "expires_in": 3600, "refresh_token": "refresh-2",
	})
}

// TestSASLIMAPAuthorizationServer: module oauth2 gets another token from an authorization
// server after Dovecot has refused one, and keeps it for the next login.
func TestSASLIMAPAuthorizationServer(t *testing.T) {
	t.Parallel()
	srv := harness.DovecotOAuth(t)
	authorization := &authorizationServer{issuer: srv.Issuer}
	listener := httptest.NewServer(authorization)
	t.Cleanup(listener.Close)
	// The client believes that it is valid.
	refused := &oauth2.Token{
		AccessToken: srv.Issuer.Token(map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}), RefreshToken: "refresh-1",
		Expiry: time.Now().Add(time.Hour),
	}
	config := &oauth2.Config{ClientID: "client", Endpoint: oauth2.Endpoint{TokenURL: listener.URL, AuthStyle: oauth2.AuthStyleInParams}}
	daemon := &clientcredentials.Config{ClientID: "daemon", ClientSecret: "hunter2", TokenURL: listener.URL, AuthStyle: oauth2.AuthStyleInParams}
	first := true
	for name, row := range map[string]struct {
		source sasl.BearerSource
		grant  string
	}{
		"refresh token": {sasloauth2.FromConfig(config, refused, "alice", nil), "refresh_token"},
		"client credentials": {sasloauth2.FromFunc(func(ctx context.Context) (*oauth2.Token, error) {
			if first {
				first = false
				return refused, nil
			}
			return daemon.Token(ctx)
		}, "alice"), "client_credentials"},
	} {
		authorization.grants = nil
		for range 2 {
			for _, m := range sasl.BearerMechanisms(row.source) {
				conn := implicit(t, srv, srv.ClientConfig(0))
				if _, err := conn.Authenticate(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{m}}); err != nil {
					t.Errorf("%s, %s: %v", name, m.Name(), err)
					continue
				}
				read(t, conn.Client(nil))
			}
		}
		if !slices.Equal(authorization.grants, []string{row.grant}) {
			t.Errorf("%s: requests %q", name, authorization.grants)
		}
	}
}
