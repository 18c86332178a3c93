package sasloauth2_test

import (
	"fmt"
	"os"

	sasl "github.com/saslkit/saslkit/core"
	sasloauth2 "github.com/saslkit/saslkit/oauth2"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// A user has granted access in a browser, and the program has stored the token. If
// the mail server refuses it, the login fetches another one and tries once more.
func ExampleFromConfig() {
	config := &oauth2.Config{ClientID: "mailer", Endpoint: oauth2.Endpoint{TokenURL: "https://id.example.org/token"}}
	token := &oauth2.Token{RefreshToken: os.Getenv("REFRESH_TOKEN")}
	source := sasloauth2.FromConfig(config, token, "alice@example.org", func(fresh *oauth2.Token) {
		// Store fresh.RefreshToken, like a password.
	})
	auth := &sasl.Client{Mechanisms: sasl.BearerMechanisms(source)}
	fmt.Println(auth.Mechanisms[0].Name(), auth.Mechanisms[1].Name())
	// Output: OAUTHBEARER XOAUTH2
}

// A daemon has no user who could grant access. It logs in to a mailbox with the
// credentials of a client (RFC 6749 section 4.4), which an administrator has
// allowed to open that mailbox.
func ExampleFromFunc_clientCredentials() {
	config := &clientcredentials.Config{
		ClientID:     "daemon",
		ClientSecret: os.Getenv("CLIENT_SECRET"),
		TokenURL:     "https://id.example.org/token",
		Scopes:       []string{"https://mail.example.org/.default"},
	}
	auth := &sasl.Client{Mechanisms: sasl.BearerMechanisms(sasloauth2.FromFunc(config.Token, "reports@example.org"))}
	fmt.Println(auth.Mechanisms[0].Name(), auth.Mechanisms[1].Name())
	// Output: OAUTHBEARER XOAUTH2
}
