package sasl_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// spellings returns the forms in which a text could show a secret.
func spellings(secret string) []string {
	decimal := strings.Trim(fmt.Sprint([]byte(secret)), "[]")
	return []string{secret, hex.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte(secret))),
		base64.StdEncoding.EncodeToString([]byte(secret)), decimal}
}

func checkSilent(t *testing.T, what, text string, secrets ...string) {
	t.Helper()
	for _, secret := range secrets {
		for _, spelling := range spellings(secret) {
			if strings.Contains(text, spelling) {
				t.Errorf("%s shows %q: %s", what, spelling, text)
			}
		}
	}
}

// TestSecretsDoNotFormat shows that no verb, JSON or log/slog shows a secret at any
// point of a run, alone or inside another value.
func TestSecretsDoNotFormat(t *testing.T) {
	const password = "pencil"
	secret := sasl.NewSecret(password)
	client := rfc7677Client(password)
	session, err := client.Begin(t.Context(), scramServer)
	if err != nil {
		t.Fatal(err)
	}
	session.Start()
	if _, err := session.Respond([]byte(rfc7677ServerFirst)); err != nil {
		t.Fatal(err)
	}
	plainSession, err := plainClient(password).Begin(t.Context(), plainServer)
	if err != nil {
		t.Fatal(err)
	}
	plainSession.Start()
	tokens, store := tokenClient()
	put(store, tokenAccount, token("EXPR"))
	_, proof, _ := strings.Cut(rfc7677ClientFinal, ",p=")
	rawProof, err1 := base64.StdEncoding.DecodeString(proof)
	verifier, err2 := base64.StdEncoding.DecodeString(rfc7677ServerFinal[2:])
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	record, err := sasl.DeriveSCRAM(t.Context(), sasl.SHA256, password, []byte("0123456789abcdef"), 4096)
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{password, string(record.StoredKey.Bytes()), string(record.ServerKey.Bytes()), proof, string(rawProof), string(verifier), tokenText}
	for name, value := range map[string]any{
		"Secret":      secret,
		"*Secret":     &secret,
		"nested":      struct{ hidden sasl.Secret }{secret},
		"slice":       []sasl.Secret{secret},
		"map":         map[string]any{"password": secret},
		"Credentials": sasl.Password("user", password),
		"Credential":  sasl.Credential{Username: "user", Password: func(context.Context) (sasl.Secret, error) { return secret, nil }},
		"Client":      client,
		"Client copy": *client,
		"Session":     session,
		"PLAIN":       plainSession,
		"Mechanism":   sasl.PasswordMechanisms(sasl.Password("user", password)),
		"record":      record,
		"record copy": *record,
		"Server":      sasl.Server{Key: secret, Tokens: &sasl.ServerTokens{Store: store}},
		"Tokens":      tokens,
		"Token":       token("EXPR"),
		"IssuedToken": issued(tokenText),
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%d", "%x", "%X", "%s", "%q"} {
			checkSilent(t, name+" "+verb, fmt.Sprintf(verb, value), secrets...)
		}
		if text, err := json.Marshal(value); err == nil {
			checkSilent(t, name+" JSON", string(text), secrets...)
		}
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "value", value)
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "value", value)
		checkSilent(t, name+" slog", log.String(), secrets...)
	}
	if string(secret.Bytes()) != password || sasl.NewSecret([]byte(password)).Bytes() == nil || (sasl.Secret{}).Bytes() != nil {
		t.Error("Bytes does not return the secret")
	}
}

// TestErrorsAndTracesAreSilent shows that, for every transcript, no error and no trace
// contains the client's password or proof.
func TestErrorsAndTracesAreSilent(t *testing.T) {
	for _, tr := range sasltest.Transcripts() {
		if tr.Role == sasltest.Server || len(tr.Password) < 5 {
			continue
		}
		client := &sasl.Client{Mechanisms: []sasl.Mechanism{clientMechanism(t, tr)}, Allow: allowAll}
		client.SetNonce(tr.ClientNonce)
		var trace strings.Builder
		client.Trace = func(e sasl.Event) { fmt.Fprintf(&trace, "%v %+v %#v\n", e, e, e) }
		srv := sasl.ServerInfo{Mechanisms: []string{tr.MechanismName}, Service: tr.Service, Host: tr.Host, Port: tr.Port}
		if tr.Binding.Type != "" {
			srv.Bindings = []sasl.ChannelBinding{tr.Binding}
		}
		_, err := client.Authenticate(t.Context(), sasltest.NewPeer(tr.Lines...), srv)
		secrets := []string{tr.Password}
		for _, line := range tr.Lines {
			if _, proof, ok := strings.Cut(string(line.Data), ",p="); ok {
				secrets = append(secrets, proof)
			}
			if _, proof, ok := strings.Cut(string(line.Data), ",response="); ok && len(proof) > 32 {
				secrets = append(secrets, proof[:32])
			}
			if _, proof, ok := strings.Cut(string(line.Data), " "); ok && tr.MechanismName == "CRAM-MD5" {
				secrets = append(secrets, proof)
			}
		}
		own := strings.ReplaceAll(trace.String(), "(withheld: it repeats a secret)", "") // "secret" is RFC 2831's password
		checkSilent(t, tr.Name+" trace", own, secrets...)
		checkSilent(t, tr.Name+" error", fmt.Sprintf("%v %+v", err, err), secrets...)
	}
}

// TestLazyCredentials shows that the client asks for the identity once in a run. The
// client asks for the password at most once, and only after checking the server's
// demands.
func TestLazyCredentials(t *testing.T) {
	type lines = []sasltest.Line
	for _, row := range []struct {
		name            string
		lines           lines
		names, password int
	}{
		{"all the way", lines{c(rfc7677ClientFirst), s(rfc7677ServerFirst), c(rfc7677ClientFinal), s(rfc7677ServerFinal), c(""), succeed}, 1, 1},
		{"refused at first", lines{c(rfc7677ClientFirst), refuse(sasl.NotAuthorized)}, 1, 0},
		{"too few iterations", lines{c(rfc7677ClientFirst), s(strings.Replace(rfc7677ServerFirst, "4096", "1", 1)), closes}, 1, 0},
	} {
		names, passwords := 0, 0
		var prompt sasl.Prompt
		client := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.SCRAM(sasl.SHA256, func(_ context.Context, p sasl.Prompt) (sasl.Credential, error) {
			names++
			prompt = p
			return sasl.Credential{Username: "user", Password: func(context.Context) (sasl.Secret, error) {
				passwords++
				return sasl.NewSecret("pencil"), nil
			}}, nil
		})}}
		client.SetNonce(rfc7677Nonce)
		peer := sasltest.NewPeer(row.lines...)
		srv := scramServer
		srv.Host = "mail.example.org"
		client.Authenticate(t.Context(), peer, srv)
		if names != row.names || passwords != row.password {
			t.Errorf("%s: asked %d times for a name, %d for a password", row.name, names, passwords)
		}
		if prompt.Mechanism != "SCRAM-SHA-256" || prompt.Server.Host != "mail.example.org" {
			t.Errorf("%s: prompt %+v", row.name, prompt)
		}
		if err := peer.Fault(); err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

// TestCredentialErrors shows the errors for the results of the callbacks, and for
// values that cannot be sent.
func TestCredentialErrors(t *testing.T) {
	denied := errors.New("no password today")
	failing := sasl.Credential{Username: "user", Password: func(context.Context) (sasl.Secret, error) { return sasl.Secret{}, denied }}
	fixed := func(c sasl.Credential) sasl.Credentials {
		return func(context.Context, sasl.Prompt) (sasl.Credential, error) { return c, nil }
	}
	for name, credentials := range map[string]sasl.Credentials{
		"nil":               nil,
		"callback fails":    func(context.Context, sasl.Prompt) (sasl.Credential, error) { return sasl.Credential{}, denied },
		"password fails":    fixed(failing),
		"no password":       fixed(sasl.Credential{Username: "user"}),
		"empty password":    sasl.Password("user", ""),
		"empty name":        sasl.Password("", "secret"),
		"NUL in name":       sasl.Password("us\x00er", "secret"),
		"name not UTF-8":    sasl.Password("us\xffer", "secret"),
		"name too long":     sasl.Password(strings.Repeat("a", 1025), "secret"),
		"NUL in authzid":    sasl.Password("user", "secret").ActingAs("ro\x00ot"),
		"authzid not UTF-8": sasl.Password("user", "secret").ActingAs("\xff"),
	} {
		for _, mechanism := range []sasl.Mechanism{sasl.Plain(credentials), sasl.SCRAM(sasl.SHA256, credentials), sasl.Login(credentials)} {
			client := &sasl.Client{Mechanisms: []sasl.Mechanism{mechanism}}
			client.SetNonce(rfc7677Nonce)
			peer := sasltest.NewPeer(c(rfc7677ClientFirst), s(rfc7677ServerFirst), abort)
			_, err := client.Authenticate(t.Context(), peer, sasl.ServerInfo{Secure: true, Mechanisms: []string{mechanism.Name()}})
			if sasl.ClassOf(err) != sasl.ErrConfig {
				t.Errorf("%s, %s: %v", name, mechanism.Name(), err)
			}
			if strings.HasSuffix(name, "fails") && !errors.Is(err, denied) {
				t.Errorf("%s, %s: the callback's error is lost in %v", name, mechanism.Name(), err)
			}
		}
	}
	for _, password := range []string{"sec\x00ret", "sec\xffret", strings.Repeat("p", 32<<10+1)} {
		if _, err := plainClient(password).Authenticate(t.Context(), sasltest.NewPeer(), plainServer); sasl.ClassOf(err) != sasl.ErrConfig {
			t.Errorf("the password %.8q: %v", password, err)
		}
	}
}

// TestRawPassword shows that the option accepts a password that SASLprep refuses.
func TestRawPassword(t *testing.T) {
	for _, raw := range []bool{false, true} {
		client := rfc7677Client("\U0001F600")
		client.SCRAM.RawPassword = raw
		session, err := client.Begin(t.Context(), scramServer)
		if err != nil {
			t.Fatal(err)
		}
		session.Start()
		response, err := session.Respond([]byte(rfc7677ServerFirst))
		// The proof was computed with another implementation.
		const want = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=/N5iD5HZZbfOnwWnGEah/skUts4qZnP0XOwDHW88ToA="
		if raw && (err != nil || string(response) != want) {
			t.Errorf("%q, %v, want %q", response, err, want)
		}
		if !raw && sasl.ClassOf(err) != sasl.ErrConfig {
			t.Errorf("prepared: %v", err)
		}
	}
}
