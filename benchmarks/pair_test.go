package benchmarks

import (
	"context"
	"errors"

	mellium "mellium.im/sasl"

	"github.com/xdg-go/scram"

	sasl "github.com/saslkit/saslkit/core"
)

// saslkitPair logs a client of this library in to a server of this library.
func saslkitPair(f *family, keys sasl.KeyStore) login {
	client := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(sasl.Password(username, password)), Keys: keys}
	info := sasl.ServerInfo{Service: "imap", Host: host, Secure: true, Mechanisms: []string{f.mechanism, "PLAIN"}}
	server := &sasl.Server{
		Mechanisms: []sasl.ServerMechanism{sasl.SCRAMServer(f.id, f.lookup)}, SuccessData: true,
		Key: sasl.NewSecret("sixteen octets or more, and random"),
	}
	conn := sasl.ConnInfo{Service: "imap", Host: host, Secure: true}
	return func() error {
		ctx := context.Background()
		session, err := client.Begin(ctx, info)
		if err != nil {
			return err
		}
		mechanism, message, err := session.Start()
		if err != nil {
			return err
		}
		run, err := server.Begin(ctx, conn, mechanism)
		for err == nil {
			var done bool
			if message, done, err = run.Respond(ctx, message); err != nil {
				break
			}
			if done {
				return session.Finish(message)
			}
			message, err = session.Respond(message)
		}
		return err
	}
}

// xdgPair logs a client of github.com/xdg-go/scram in to its server.
func xdgPair(f *family, cached bool) login {
	remembering, err := xdgHash(f).NewClient(username, password, "")
	server, serverErr := xdgHash(f).NewServer(func(string) (scram.StoredCredentials, error) {
		return scram.StoredCredentials{
			KeyFactors: scram.KeyFactors{Salt: string(f.salt), Iters: iterations},
			StoredKey:  f.storedKey, ServerKey: f.serverKey,
		}, nil
	})
	return func() error {
		client := remembering
		if !cached {
			client, err = xdgHash(f).NewClient(username, password, "")
		}
		if err := errors.Join(err, serverErr); err != nil {
			return err
		}
		run, other := client.NewConversation(), server.NewConversation()
		message, err := run.Step("")
		for range 2 {
			if err == nil {
				message, err = other.Step(message)
			}
			if err == nil {
				message, err = run.Step(message)
			}
		}
		if err == nil && !(run.Valid() && other.Valid()) {
			return errRefused
		}
		return err
	}
}

// melliumPair logs a client of mellium.im/sasl in to its server; nil = it has no such
// mechanism.
func melliumPair(f *family) login {
	mechanism, ok := map[string]mellium.Mechanism{"SCRAM-SHA-1": mellium.ScramSha1, "SCRAM-SHA-256": mellium.ScramSha256}[f.mechanism]
	if !ok {
		return nil
	}
	credentials := mellium.Credentials(func() (name, pass, identity []byte) { return []byte(username), []byte(password), nil })
	salted := mellium.SCRAMSaltPassword(f.hash, []byte(password), f.salt, iterations)
	store := mellium.SaltedCredentials(func(_, _ []byte, _ string) ([]byte, []byte, int64, error) {
		return f.salt, salted, iterations, nil
	})
	return func() error {
		run := mellium.NewClient(mechanism, credentials)
		other := mellium.NewServer(mechanism, func(*mellium.Negotiator) bool { return true }, store)
		_, message, err := run.Step(nil)
		for range 2 {
			if err == nil {
				_, message, err = other.Step(message)
			}
			if err == nil {
				_, message, err = run.Step(message)
			}
		}
		return err
	}
}
