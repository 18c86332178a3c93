package benchmarks

import (
	"bytes"
	"context"
	"crypto/pbkdf2"
	"crypto/subtle"
	"errors"

	mellium "mellium.im/sasl"

	"github.com/wneessen/go-mail/smtp"
	"github.com/xdg-go/scram"

	sasl "github.com/saslkit/saslkit/core"
)

// login is one whole login of a client against the peer.
type login func() error

var errRefused = errors.New("the login has failed")

// saslkitClient logs in with the default ladder and the default policy.
func saslkitClient(f *family, keys sasl.KeyStore) login {
	client := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(sasl.Password(username, password)), Keys: keys}
	server := sasl.ServerInfo{Service: "imap", Host: host, Secure: true, Mechanisms: []string{f.mechanism, "PLAIN"}}
	return func() error {
		peer := peer{family: f}
		session, err := client.Begin(context.Background(), server)
		if err != nil {
			return err
		}
		_, first, err := session.Start()
		if err != nil {
			return err
		}
		final, err := session.Respond(peer.first(first))
		if err != nil {
			return err
		}
		return session.Finish(peer.final(final))
	}
}

func xdgHash(f *family) scram.HashGeneratorFcn { return scram.HashGeneratorFcn(f.hash) }

// xdgClient logs in with github.com/xdg-go/scram, whose Client remembers its keys.
func xdgClient(f *family, cached bool) login {
	remembering, err := xdgHash(f).NewClient(username, password, "")
	return func() error {
		client := remembering
		if !cached {
			client, err = xdgHash(f).NewClient(username, password, "")
		}
		if err != nil {
			return err
		}
		peer, run := peer{family: f}, client.NewConversation()
		first, err := run.Step("")
		if err != nil {
			return err
		}
		final, err := run.Step(string(peer.first([]byte(first))))
		if err != nil {
			return err
		}
		if _, err = run.Step(string(peer.final([]byte(final)))); err == nil && !run.Valid() {
			return errRefused
		}
		return err
	}
}

// melliumClient logs in with mellium.im/sasl; nil = it has no such mechanism.
func melliumClient(f *family) login {
	mechanism, ok := map[string]mellium.Mechanism{"SCRAM-SHA-1": mellium.ScramSha1, "SCRAM-SHA-256": mellium.ScramSha256}[f.mechanism]
	if !ok {
		return nil
	}
	credentials := mellium.Credentials(func() (name, pass, identity []byte) { return []byte(username), []byte(password), nil })
	return func() error {
		peer, run := peer{family: f}, mellium.NewClient(mechanism, credentials)
		_, first, err := run.Step(nil)
		if err != nil {
			return err
		}
		_, final, err := run.Step(peer.first(first))
		if err != nil {
			return err
		}
		_, _, err = run.Step(peer.final(final))
		return err
	}
}

// gomailClient logs in with the SCRAM of github.com/wneessen/go-mail; nil = it has no
// such mechanism.
func gomailClient(f *family) login {
	newAuth, ok := map[string]func(name, pass string) smtp.Auth{"SCRAM-SHA-1": smtp.ScramSHA1Auth, "SCRAM-SHA-256": smtp.ScramSHA256Auth}[f.mechanism]
	if !ok {
		return nil
	}
	return func() error {
		peer, auth := peer{family: f}, newAuth(username, password)
		if _, _, err := auth.Start(nil); err != nil {
			return err
		}
		first, err := auth.Next(nil, true)
		if err != nil {
			return err
		}
		final, err := auth.Next(peer.first(first), true)
		if err != nil {
			return err
		}
		_, err = auth.Next(peer.final(final), true)
		return err
	}
}

// floor is the unavoidable work of a client: crypto/pbkdf2 alone or, if the keys are
// known, the bare HMACs and the hash.
func floor(f *family, cached bool) login {
	message := string(bytes.Repeat([]byte("m"), 180)) // as long as an AuthMessage
	clientKey := bytes.Repeat([]byte("k"), f.size)
	return func() error {
		if !cached {
			_, err := pbkdf2.Key(f.hash, password, f.salt, iterations, f.size)
			return err
		}
		storedKey := f.hash()
		storedKey.Write(clientKey)
		proof := f.mac(storedKey.Sum(nil), message)
		subtle.XORBytes(proof, proof, clientKey)
		f.mac(f.serverKey, message)
		return nil
	}
}
