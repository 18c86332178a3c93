package sasl_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// TestExchangesDoNotFormat shows that a formatted exchange of SCRAM, of either side,
// has neither the proof nor the verifier. Each of them lets the reader test guesses of
// the password.
func TestExchangesDoNotFormat(t *testing.T) {
	record := derive(t, sasl.SHA256, "pencil")
	client := sasl.SCRAM(sasl.SHA256, sasl.Password("user", "pencil")).New(sasl.Terms{GS2Flag: 'n'})
	server := sasl.SCRAMServer(sasl.SHA256, func(context.Context, sasl.Hash, string) (*sasl.SCRAMRecord, error) {
		return record, nil
	}).New(sasl.ServerTerms{
		Canonical: func(name string) (string, error) { return name, nil },
		Authorize: func(context.Context, sasl.Identity) error { return nil },
		Key:       sasl.NewSecret("sixteen octets or more"),
	})
	var message []byte
	var secrets []string
	for _, x := range []sasl.Exchange{client, server, client, server, client} {
		out, _, err := x.Step(t.Context(), message)
		if err != nil {
			t.Fatal(err)
		}
		message = out
		for _, sign := range []string{",p=", "v="} {
			if _, secret, found := strings.Cut(string(out), sign); found {
				raw, err := base64.StdEncoding.DecodeString(secret)
				if err != nil {
					t.Fatal(err)
				}
				secrets = append(secrets, secret, string(raw), fmt.Sprint(raw)[1:])
			}
		}
	}
	if len(secrets) != 6 {
		t.Fatalf("%d secrets were seen", len(secrets))
	}
	for _, x := range []sasl.Exchange{client, server} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			text := fmt.Sprintf(verb, x)
			for i, secret := range secrets {
				if strings.Contains(text, secret) {
					t.Errorf("%T with %s shows secret %d", x, verb, i)
				}
			}
		}
	}
}
