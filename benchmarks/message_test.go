package benchmarks

import (
	"context"
	"strings"

	gosasl "github.com/emersion/go-sasl"
	mellium "mellium.im/sasl"

	sasl "github.com/saslkit/saslkit/core"
)

// The mechanisms of a single message. Their floor is the concatenation.

const bearerToken = "ya29.a-token-of-usual-length-which-has-some-more-octets"

var sink []byte

func plainClients() []implementation {
	return []implementation{
		{"floor", func() error { sink = []byte("\x00" + username + "\x00" + strings.Clone(password)); return nil }},
		{"saslkit", messageClient("PLAIN", sasl.PasswordMechanisms(sasl.Password(username, password)))},
		{"gosasl", gosaslClient(func() gosasl.Client { return gosasl.NewPlainClient("", username, password) })},
		{"mellium", func() (err error) {
			run := mellium.NewClient(mellium.Plain, mellium.Credentials(func() (name, pass, identity []byte) {
				return []byte(username), []byte(password), nil
			}))
			_, sink, err = run.Step(nil)
			return err
		}},
	}
}

func bearerClients() []implementation {
	source := sasl.FixedBearerToken(username, bearerToken)
	return []implementation{
		{"floor", func() error {
			sink = []byte("n,a=" + username + ",\x01host=" + host + "\x01port=993\x01auth=Bearer " + strings.Clone(bearerToken) + "\x01\x01")
			return nil
		}},
		{"saslkit", messageClient("OAUTHBEARER", sasl.BearerMechanisms(source))},
		{"gosasl", gosaslClient(func() gosasl.Client {
			return gosasl.NewOAuthBearerClient(&gosasl.OAuthBearerOptions{Username: username, Token: bearerToken, Host: host, Port: 993})
		})},
	}
}

func messageClient(mechanism string, mechanisms []sasl.Mechanism) login {
	client := &sasl.Client{Mechanisms: mechanisms}
	server := sasl.ServerInfo{Service: "imap", Host: host, Port: 993, Secure: true, Mechanisms: []string{mechanism}}
	return func() error {
		session, err := client.Begin(context.Background(), server)
		if err != nil {
			return err
		}
		if _, sink, err = session.Start(); err != nil {
			return err
		}
		return session.Finish(nil)
	}
}

func gosaslClient(newClient func() gosasl.Client) login {
	return func() (err error) {
		_, sink, err = newClient().Start()
		return err
	}
}
