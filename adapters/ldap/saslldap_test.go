package saslldap_test

import (
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	sasl "github.com/saslkit/saslkit/core"
)

// TestBare: a connection that the library created cannot be extended, and the error
// names the functions that make one that can.
func TestBare(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	bare := ldap.NewConn(near, false)
	bare.Start()
	defer bare.Close()
	_, err := saslldap.SASLBind(t.Context(), bare, &sasl.Client{Mechanisms: sasl.PasswordMechanisms(sasl.Password("alice", "pencil"))})
	if !errors.Is(err, sasl.ErrConfig) || !strings.Contains(err.Error(), "saslldap.DialURL") || !strings.Contains(err.Error(), "saslldap.NewConn") {
		t.Error(err)
	}
}
