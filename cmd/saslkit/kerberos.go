package main

import (
	"context"

	"github.com/spf13/cobra"

	sasl "github.com/saslkit/saslkit/core"
	saslkerberos "github.com/saslkit/saslkit/kerberos"
	"github.com/saslkit/saslkit/kerberos/krb5"
)

// kerberosFlags are the flags of the mechanisms of Kerberos.
type kerberosFlags struct {
	ccache, keytab, principal, servicePrincipal, krb5Config string
}

func (f *kerberosFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.ccache, "ccache", "", "log in with Kerberos and the tickets in this `FILE`, as kinit writes it")
	flags.StringVar(&f.keytab, "keytab", "", "log in with Kerberos and the key in this `FILE`")
	flags.StringVar(&f.principal, "principal", "", "log in with Kerberos as this `PRINCIPAL`, with the key of --keytab or a password; the default is the user, or the first principal of --keytab")
	flags.StringVar(&f.servicePrincipal, "service-principal", "", "the server is this `PRINCIPAL` of Kerberos; the default is the service and the host of the URL")
	flags.StringVar(&f.krb5Config, "krb5-config", "", "read this `FILE` in place of KRB5_CONFIG or /etc/krb5.conf")
}

// used reports whether a flag asks for Kerberos.
func (f *kerberosFlags) used() bool { return f.ccache != "" || f.keytab != "" || f.principal != "" }

// kerberos returns the mechanisms of Kerberos, most preferred first.
func (f *authFlags) kerberos(t *target, credentials sasl.Credentials) ([]sasl.Mechanism, error) {
	if f.ccache != "" && (f.keytab != "" || f.principal != "") {
		return nil, usageError("--ccache has its own principal: omit --keytab and --principal")
	}
	options := &krb5.Options{Config: f.krb5Config}
	principal := f.principal
	if principal == "" {
		principal = t.user
	}
	var initiator saslkerberos.Initiator
	switch {
	case f.keytab != "":
		initiator = krb5.Keytab(principal, f.keytab, options)
	case f.ccache == "" && principal != "":
		initiator = krb5.Password(principalCredentials(principal, credentials), options)
	default:
		initiator = krb5.Cache(f.ccache, options)
	}
	return saslkerberos.Mechanisms(initiator, &saslkerberos.Options{Authzid: f.authzid, ServicePrincipal: f.servicePrincipal}), nil
}

// principalCredentials returns the password of the credentials for a principal. The
// authzid is an option of the mechanism.
func principalCredentials(principal string, credentials sasl.Credentials) sasl.Credentials {
	return func(ctx context.Context, prompt sasl.Prompt) (sasl.Credential, error) {
		credential, err := credentials(ctx, prompt)
		credential.Username, credential.Authzid = principal, ""
		return credential, err
	}
}
