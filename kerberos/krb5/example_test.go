package krb5_test

import (
	"context"
	"errors"
	"fmt"

	sasl "github.com/saslkit/saslkit/core"
	saslkerberos "github.com/saslkit/saslkit/kerberos"
	"github.com/saslkit/saslkit/kerberos/krb5"
)

// The error says what to do, and has a class. The mechanisms call an Initiator
// themselves.
func ExampleCache() {
	initiator := krb5.Cache("FILE:testdata/missing.ccache", nil)
	_, err := initiator(context.Background(), saslkerberos.Request{Service: "ldap/dc.example.org"})
	fmt.Println(errors.Is(err, sasl.ErrConfig))
	fmt.Println(err)
	// Output:
	// true
	// config error: the credential cache: open testdata/missing.ccache: no such file or directory
}
