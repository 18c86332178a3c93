package sasloauth2_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
	sasloauth2 "github.com/saslkit/saslkit/oauth2"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// TestFromConfig shows that the source uses the present token, fetches another token
// with the refresh token after a refusal, and passes it to the program.
func TestFromConfig(t *testing.T) {
	i := newIssuer(t)
	var told []string
	source := sasloauth2.FromConfig(i.config(), stored("ya29-0", "refresh-0"), alice, func(fresh *oauth2.Token) {
		told = append(told, fresh.AccessToken+" "+fresh.RefreshToken)
	})
	ctx := i.context(t)
	if err := login(ctx, source, sends("ya29-0"), succeeds); err != nil || len(i.asked()) != 0 {
		t.Errorf("%v after %d requests", err, len(i.asked()))
	}
	if err := login(ctx, source, sends("ya29-0"), refuses, sends("ya29-1"), succeeds); err != nil {
		t.Error(err)
	}
	if err := login(ctx, source, sends("ya29-1"), succeeds); err != nil { // it is kept
		t.Error(err)
	}
	if err := login(ctx, source, sends("ya29-1"), refuses, sends("ya29-2"), refuses); sasl.ClassOf(err) != sasl.ErrAuthentication {
		t.Error(err)
	}
	requests := i.asked()
	if len(requests) != 2 || requests[0].Get("grant_type") != "refresh_token" || requests[0].Get("refresh_token") != "refresh-0" ||
		requests[1].Get("refresh_token") != "refresh-1" { // the one that came with ya29-1
		t.Errorf("requests %v", requests)
	}
	if strings.Join(told, ", ") != "ya29-1 refresh-1, ya29-2 refresh-2" {
		t.Errorf("told %q", told)
	}
}

// TestExpired: a token that has expired is not sent, if there is a way to get
// another.
func TestExpired(t *testing.T) {
	i := newIssuer(t)
	old := stored("ya29-0", "refresh-0")
	old.Expiry = time.Now().Add(-time.Minute)
	if err := login(i.context(t), sasloauth2.FromConfig(i.config(), old, alice, nil), sends("ya29-1"), succeeds); err != nil {
		t.Error(err)
	}
	old = stored("ya29-0", "")
	old.Expiry = time.Now().Add(-time.Minute)
	err := login(i.context(t), sasloauth2.FromConfig(i.config(), old, alice, nil), sends("ya29-0"), refuses)
	if sasl.ClassOf(err) != sasl.ErrAuthentication || !strings.HasSuffix(err.Error(), "no second attempt: the source of the token cannot supply another one") {
		t.Error(err)
	}
	if err := login(i.context(t), sasloauth2.FromConfig(i.config(), stored("", "refresh-0"), alice, nil), sends("ya29-2"), succeeds); err != nil {
		t.Error(err)
	}
}

// TestClientCredentials: a daemon's token is fetched, kept, and fetched again after
// a refusal.
func TestClientCredentials(t *testing.T) {
	i := newIssuer(t)
	config := &clientcredentials.Config{ClientID: "daemon", ClientSecret: "hunter2-Secret", TokenURL: i.URL, Scopes: []string{"mail"}, AuthStyle: oauth2.AuthStyleInParams}
	source := sasloauth2.FromFunc(config.Token, alice)
	ctx := i.context(t)
	for _, err := range []error{
		login(ctx, source, sends("ya29-1"), succeeds),
		login(ctx, source, sends("ya29-1"), succeeds),
		login(ctx, source, sends("ya29-1"), refuses, sends("ya29-2"), succeeds),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	if requests := i.asked(); len(requests) != 2 || requests[0].Get("grant_type") != "client_credentials" || requests[0].Get("scope") != "mail" {
		t.Errorf("requests %v", requests)
	}
}

// TestIssuerRefuses shows the class of each answer of an authorization server, before
// anything was sent and after a refusal, and that the body is not shown.
func TestIssuerRefuses(t *testing.T) {
	for name, row := range map[string]struct {
		status int
		body   string
		class  sasl.Class
		text   string
	}{
		"invalid_grant":  {400, `{"error":"invalid_grant","error_description":"refresh-0 is revoked"}`, sasl.ErrAuthentication, "the authorization server refused to issue a token with 400 Bad Request: invalid_grant"},
		"invalid_client": {401, `{"error":"invalid_client"}`, sasl.ErrConfig, "with 401 Unauthorized: invalid_client"},
		"no code":        {403, `refresh-0`, sasl.ErrConfig, "with 403 Forbidden"},
		"too many":       {429, `refresh-0`, sasl.ErrTemporary, "with 429 Too Many Requests"},
		"down":           {503, `refresh-0`, sasl.ErrTemporary, "with 503 Service Unavailable"},
		"in a success":   {200, `{"error":"invalid_grant","access_token":""}`, sasl.ErrAuthentication, "invalid_grant"},
		"no token":       {200, `{}`, sasl.ErrTemporary, ""},
		"no bearer":      {200, `{"access_token":"a","token_type":"mac"}`, sasl.ErrConfig, "the type MAC and is no bearer token"},
		"no JSON":        {200, `hello`, sasl.ErrTemporary, ""},
	} {
		i := newIssuer(t)
		i.status, i.body = row.status, row.body
		ctx := i.context(t)
		first := login(ctx, sasloauth2.FromConfig(i.config(), stored("", "refresh-0"), alice, nil))
		if sasl.ClassOf(first) != row.class || !strings.Contains(first.Error(), row.text) {
			t.Errorf("%s: %v", name, first)
		}
		then := login(ctx, sasloauth2.FromConfig(i.config(), stored("ya29-0", "refresh-0"), alice, nil), sends("ya29-0"), refuses)
		if sasl.ClassOf(then) != sasl.ErrAuthentication || !strings.Contains(then.Error(), "no second attempt: ") || !strings.Contains(then.Error(), row.text) {
			t.Errorf("%s, after a refusal: %v", name, then)
		}
		for _, err := range []error{first, then} {
			if text := err.Error(); strings.Contains(text, "refresh-0") || strings.Contains(text, "hunter2") {
				t.Errorf("%s: a secret in %v", name, err)
			}
		}
		var refused *oauth2.RetrieveError
		if row.status != 200 && (!errors.As(first, &refused) || !errors.As(then, &refused) || string(refused.Body) != row.body) {
			t.Errorf("%s: no RetrieveError in %v", name, then)
		}
	}
	i := newIssuer(t)
	config := i.config()
	config.Endpoint.TokenURL = "http://127.0.0.1:1/"
	if err := login(i.context(t), sasloauth2.FromConfig(config, stored("", "refresh-0"), alice, nil)); sasl.ClassOf(err) != sasl.ErrTemporary {
		t.Error(err)
	}
}

// TestOneFetch: logins whose token was refused at the same time fetch one token
// together.
func TestOneFetch(t *testing.T) {
	i := newIssuer(t)
	source := sasloauth2.FromConfig(i.config(), stored("ya29-0", "refresh-0"), alice, nil)
	var logins sync.WaitGroup
	for range 8 {
		logins.Go(func() {
			token, err := source(i.context(t), sasl.Prompt{Refused: sasl.NewSecret("ya29-0")})
			if err != nil || string(token.Token.Bytes()) != "ya29-1" || !token.Renewable || token.Username != alice {
				t.Errorf("%+v, %v", token, err)
			}
		})
	}
	logins.Wait()
	if n := len(i.asked()); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// TestFetchEndsWithContext: a login does not wait longer than its context, neither
// for the authorization server nor for another login that waits for it.
func TestFetchEndsWithContext(t *testing.T) {
	i := newIssuer(t)
	i.wait = make(chan struct{})
	source := sasloauth2.FromConfig(i.config(), stored("", "refresh-0"), alice, nil)
	first, cancelFirst := context.WithCancel(i.context(t))
	var fetches sync.WaitGroup
	fetches.Go(func() { ends(t, first, source) })
	for len(i.asked()) == 0 {
		time.Sleep(time.Millisecond)
	}
	second, cancelSecond := context.WithTimeout(i.context(t), 20*time.Millisecond)
	defer cancelSecond()
	ends(t, second, source) // while the first goes on
	if first.Err() != nil || len(i.asked()) != 1 {
		t.Errorf("%v, %d requests", first.Err(), len(i.asked()))
	}
	cancelFirst()
	fetches.Wait()
	close(i.wait)
	if err := login(i.context(t), source, sends("ya29-2"), succeeds); err != nil {
		t.Error(err)
	}
}

// ends logs in until the context ends.
func ends(t *testing.T, ctx context.Context, source sasl.BearerSource) {
	_, err := (&sasl.Client{Mechanisms: sasl.BearerMechanisms(source)}).Authenticate(ctx, closed{}, server)
	if sasl.ClassOf(err) != sasl.ErrConnection || !errors.Is(err, ctx.Err()) || ctx.Err() == nil {
		t.Error(err)
	}
}

// closed is a connection on which nothing is sent.
type closed struct{ sasl.Interface }

func (closed) Close() error { return nil }

// TestNothingToAsk: what is missing is an ErrConfig of the login.
func TestNothingToAsk(t *testing.T) {
	for _, source := range []sasl.BearerSource{
		sasloauth2.FromConfig(nil, stored("a", ""), alice, nil), sasloauth2.FromConfig(new(oauth2.Config), nil, alice, nil),
		sasloauth2.FromFunc(nil, alice), sasloauth2.FromFunc(func(context.Context) (*oauth2.Token, error) { return nil, nil }, alice), sasloauth2.FromTokenSource(nil, alice),
		sasloauth2.FromConfig(new(oauth2.Config), new(oauth2.Token), alice, nil),
	} {
		if err := login(t.Context(), source); sasl.ClassOf(err) != sasl.ErrConfig {
			t.Error(err)
		}
	}
}
