package krb5

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestKDCsOfDNS: the DNS has the KDCs of a realm that has none in krb5.conf, unless
// krb5.conf forbids the question.
func TestKDCsOfDNS(t *testing.T) {
	records := []*net.SRV{{Target: "dc.r.test.", Port: 750}}
	for name, row := range map[string]struct {
		records []*net.SRV // nil = the DNS fails
		config  string
		asked   string
		want    error
	}{
		"found":     {records, "", "dc.r.test:750", nil},
		"none":      {[]*net.SRV{}, "", "", sasl.ErrConfig},
		"failure":   {nil, "", "", sasl.ErrTemporary},
		"forbidden": {records, "[libdefaults]\ndns_lookup_kdc = off\n", "", sasl.ErrConfig},
	} {
		t.Run(name, func(t *testing.T) {
			earlier := net.DefaultResolver
			defer func() { net.DefaultResolver = earlier }()
			net.DefaultResolver = sasltest.Resolver(t, map[string][]*net.SRV{"_kerberos._tcp.r.test": row.records})
			k := &kdc{}
			l := k.login(t)
			asked := ""
			l.options.Config = filepath.Join(configFiles(t, map[string]string{"krb5.conf": row.config}), "krb5.conf")
			l.options.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				asked = address
				return k.connect(ctx, network, address)
			}
			if _, err := l.withSecret(t.Context(), k.secret()); !errors.Is(err, row.want) || asked != row.asked {
				t.Errorf("asked %q: %v", asked, err)
			}
		})
	}
}
