package saslimap

import (
	"context"
	"crypto/tls"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestExisting: the function for a client that was made elsewhere.
func TestExisting(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	dial := func() (*imapclient.Client, Existing) {
		conn, err := tls.Dial("tcp", server.implicit, server.client)
		if err != nil {
			t.Fatal(err)
		}
		state := conn.ConnectionState()
		return imapclient.New(conn, nil), Existing{Host: host, TLS: &state}
	}
	client, existing := dial()
	if _, err := Authenticate(soon(t), client, &sasl.Client{Mechanisms: sasl.PasswordMechanisms(credentials)}, existing); !errors.Is(err, sasl.ErrPolicy) || !strings.Contains(err.Error(), "saslimap.NewConn") {
		t.Errorf("SCRAM: %v", err)
	}
	// Nothing was sent, and the client serves on.
	if _, err := Authenticate(soon(t), client, &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(credentials)}}, existing); err != nil {
		t.Errorf("PLAIN: %v", err)
	}
	receive(t, server.logins)
	for range 5000 { // the library sets the state after it has returned
		if client.State() == imap.ConnStateAuthenticated {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if _, err := Authenticate(soon(t), client, &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(credentials)}}, existing); !errors.Is(err, sasl.ErrSecurity) {
		t.Errorf("once more: %v", err)
	}
	use(t, client)

	client, existing = dial()
	existing.EqualsSign = true
	result, err := Authenticate(soon(t), client, &sasl.Client{Mechanisms: sasl.PasswordMechanisms(credentials)}, existing)
	if err != nil || result.Binding != "tls-exporter" {
		t.Errorf("SCRAM with =: %+v, %v", result, err)
	}
	receive(t, server.logins)
	use(t, client)

	client, existing = dial()
	wrong := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("user", "wrong"))}}
	if _, err := Authenticate(soon(t), client, wrong, existing); !errors.Is(err, sasl.ErrAuthentication) {
		t.Errorf("wrong password: %v", err)
	}
	receive(t, server.refusals)
	existing.TLS = nil
	if _, err := Authenticate(soon(t), client, wrong, existing); !errors.Is(err, sasl.ErrPolicy) {
		t.Errorf("TLS not known: %v", err)
	}
	existing.Secure = true
	if _, err := Authenticate(soon(t), client, &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(credentials)}}, existing); err != nil {
		t.Errorf("Secure asserted: %v", err)
	}
	receive(t, server.logins)
	use(t, client)

	client, existing = dial()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Authenticate(cancelled, client, wrong, existing); !errors.Is(err, context.Canceled) || !errors.Is(err, sasl.ErrConnection) {
		t.Errorf("cancelled: %v", err)
	}
	client.Close()

	// To a server without SASL-IR the library sends "=" for an empty first message.
	client = imapclient.New(sasltest.Scripted(t, "* OK [CAPABILITY IMAP4rev1] hi", "<T1 CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=EXTERNAL", "T1 OK done"), nil)
	if _, err := Authenticate(soon(t), client, &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.External("")}}, Existing{Secure: true}); !errors.Is(err, sasl.ErrPolicy) {
		t.Errorf("an empty first message: %v", err)
	}
	client.Close()
}

// TestExistingCapabilities: a list from before TLS, which is injected behind the
// answer to STARTTLS or was in the greeting, does not count. A client without TLS
// has only one list.
func TestExistingCapabilities(t *testing.T) {
	for name, row := range map[string]struct {
		existing Existing
		lines    []string
		want     []string
		class    sasl.Class
	}{
		"without TLS":   {Existing{}, nil, []string{"FIRST"}, ""},
		"with TLS":      {Existing{Secure: true}, []string{"<T1 CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=SECOND", "T1 OK done"}, []string{"SECOND"}, ""},
		"no list":       {Existing{Secure: true}, []string{"<T1 CAPABILITY", "T1 OK done"}, nil, sasl.ErrProtocol},
		"refused":       {Existing{Secure: true}, []string{"<T1 CAPABILITY", "T1 BAD what"}, nil, sasl.ErrProtocol},
		"cut":           {Existing{Secure: true}, []string{"<T1 CAPABILITY", "!"}, nil, sasl.ErrConnection},
		"cut, after OK": {Existing{Secure: true}, []string{"<T1 CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=SECOND", "!"}, nil, sasl.ErrConnection},
	} {
		client := imapclient.New(prompt(t, append([]string{"* OK [CAPABILITY IMAP4rev1 AUTH=FIRST] hi"}, row.lines...)...), nil)
		info, err := row.existing.serverInfo(soon(t), client)
		if sasl.ClassOf(err) != row.class || (err == nil) != (row.class == "") || !slices.Equal(info.Mechanisms, row.want) {
			t.Errorf("%s: %q, %v", name, info.Mechanisms, err)
		}
		client.Close()
	}
}

// TestExistingUnusable: a TLS state of nothing is an ErrConfig, and a server that
// rejects the connection is an ErrConnection.
func TestExistingUnusable(t *testing.T) {
	client := imapclient.New(prompt(t, listsSASLIR), nil)
	if _, err := Authenticate(soon(t), client, plain, Existing{Host: host, TLS: new(tls.ConnectionState)}); sasl.ClassOf(err) != sasl.ErrConfig {
		t.Errorf("unknown TLS state: %v", err)
	}
	client.Close()
	for _, existing := range []Existing{{}, {Secure: true}} {
		client := imapclient.New(prompt(t, "* BYE busy"), nil)
		_, err := Authenticate(soon(t), client, plain, existing)
		if sasl.ClassOf(err) != sasl.ErrConnection {
			t.Errorf("BYE: %v", err)
		}
		client.Close()
	}
}

// TestExistingPreauth: a client that is authenticated already gets no command.
func TestExistingPreauth(t *testing.T) {
	client := imapclient.New(prompt(t, "* PREAUTH [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi"), nil)
	if _, err := Authenticate(soon(t), client, plain, Existing{Secure: true}); sasl.ClassOf(err) != sasl.ErrSecurity {
		t.Error(err)
	}
	conn := imapclient.New(prompt(t, "* OK [CAPABILITY IMAP4rev1] hi", "<T1 CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=PLAIN", "T1 OK done"), nil)
	locked := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(func(context.Context, sasl.Prompt) (sasl.Credential, error) {
		return sasl.Credential{}, errors.New("the keyring is locked")
	})}}
	if _, err := Authenticate(soon(t), conn, locked, Existing{Secure: true}); sasl.ClassOf(err) != sasl.ErrConfig || !strings.Contains(err.Error(), "the keyring is locked") {
		t.Errorf("no credentials: %v", err)
	}
	client.Close()
	conn.Close()
}
