package verifier_test

import (
	"context"
	"crypto/fips140"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/verifier"
)

// The record of the exchange of RFC 7677 s3, password "pencil", in the text form that
// PostgreSQL and Dovecot store. Another implementation computed the record.
const rfc7677 = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

// The records of "pencil" and the same salt for the other hashes. Another
// implementation computed the records.
var others = []string{
	"SCRAM-SHA-1$4096:W22ZaJ0SNY7soEsUEjb6gQ==$g2pEzX2tMaoibxTD4YfBJkq1y8w=:ZGkNjsmKwVX5C5z80vGxHZ02jOI=",
	"SCRAM-SHA-224$4096:W22ZaJ0SNY7soEsUEjb6gQ==$+gz2kN/rmM0l9sSIy2id5erb3zeT7E8vY/ZL8A==:MFHkv9u5kkQ4UsYyCPBfuvFFcEByph/UJfoT+A==",
	"SCRAM-SHA-384$4096:W22ZaJ0SNY7soEsUEjb6gQ==$xk9JmzXweKl/83tuWXBmKeU6UGj451+ZVB6gotcT17VpGebq85SUgy88EtnfaYiD:43M1VmOHS600gWpFgQh4cRfeZXYDKj3OfiYeHm+JbMta1EVVL8ydad5TlnP/n6X6",
	"SCRAM-SHA-512$4096:W22ZaJ0SNY7soEsUEjb6gQ==$6AAub3065EYRmyFpM2RNwqK+eGnrkYuEWbXn19LsEmBqzu8QaCXNc1FwpnX9NhH2hK/60dzj9DoO5DvVkOHbvg==:jZHbYjC1aHh0/hKbxyBuGFjDrgjgKTT1esA7awWiKcRZ0o/0b1yWEebBeSVkkCFewf91nLDfKF24mvD5nmE6rA==",
	"SCRAM-SHA3-512$4096:W22ZaJ0SNY7soEsUEjb6gQ==$wVNR1SWM3X9PdzJmfGk8xVYVPUDOGov4FpTM9eYhpD/XCYOHbAAIa/HfPor3/YTmehLySWnmB5D09HZts2sJpw==:SYqGYG2PtY0ODod4TH6GO/m21t1GpxxGgMplNS5XR5HyjDS22/GW3RWIonLbGeyZbMNv6JlMkuSby56KE/s/sA==",
}

// TestDeriveParseFormat derives a record from the password, and then writes, reads
// and checks the record.
func TestDeriveParseFormat(t *testing.T) {
	for _, text := range append([]string{rfc7677}, others...) {
		if strings.HasPrefix(text, "SCRAM-SHA-1$") && fips140.Enforced() {
			continue // nothing can be derived with it; TestNoSHA1UnderFIPS
		}
		record, err := verifier.Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := verifier.Format(record); got != text {
			t.Errorf("Format: %s, want %s", got, text)
		}
		salt, _ := base64.StdEncoding.DecodeString("W22ZaJ0SNY7soEsUEjb6gQ==")
		derived, err := sasl.DeriveSCRAM(t.Context(), record.Hash, "pencil", salt, 4096)
		if err != nil || verifier.Format(derived) != text {
			t.Errorf("derived %v, %v, want %s", derived, err, text)
			continue
		}
		if err := record.Check(t.Context(), sasl.NewSecret("pencil")); err != nil {
			t.Errorf("Check: %v", err)
		}
		for _, wrong := range []string{"Pencil", "", "pen\x07cil"} {
			if err := record.Check(t.Context(), sasl.NewSecret(wrong)); sasl.ClassOf(err) != sasl.ErrAuthentication {
				t.Errorf("Check(%q): %v", wrong, err)
			}
		}
	}
}

// TestNoSHA1UnderFIPS shows that SHA-1 under FIPS 140 is an error, and not a panic.
func TestNoSHA1UnderFIPS(t *testing.T) {
	_, err := sasl.DeriveSCRAM(t.Context(), sasl.SHA1, "pencil", []byte("0123456789abcdef"), 4096)
	if want := fips140.Enforced(); want != errors.Is(err, sasl.ErrPolicy) {
		t.Errorf("FIPS 140 enforced %t: %v", want, err)
	}
}

func TestDeriveErrors(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, row := range []struct {
		name       string
		ctx        context.Context
		hash       sasl.Hash
		password   string
		iterations int
		class      sasl.Class
	}{
		{"no iterations", t.Context(), sasl.SHA256, "pencil", 0, sasl.ErrConfig},
		{"too many iterations", t.Context(), sasl.SHA256, "pencil", 10_000_001, sasl.ErrConfig},
		{"empty password", t.Context(), sasl.SHA256, "", 4096, sasl.ErrConfig},
		{"prohibited password", t.Context(), sasl.SHA256, "pen\x07cil", 4096, sasl.ErrConfig},
		{"no hash", t.Context(), 0, "pencil", 4096, sasl.ErrConfig},
		{"cancelled", cancelled, sasl.SHA256, "pencil", 1_000_000, sasl.ErrConnection},
	} {
		if _, err := sasl.DeriveSCRAM(row.ctx, row.hash, row.password, nil, row.iterations); sasl.ClassOf(err) != row.class {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	one, err1 := sasl.DeriveSCRAM(t.Context(), sasl.SHA256, "pencil", nil, 1)
	two, err2 := sasl.DeriveSCRAM(t.Context(), sasl.SHA256, "pencil", nil, 1)
	if err1 != nil || err2 != nil || len(one.Salt) != 16 || string(one.Salt) == string(two.Salt) {
		t.Errorf("salts %x and %x, %v, %v", one.Salt, two.Salt, err1, err2)
	}
}

func TestParseErrors(t *testing.T) {
	for name, text := range map[string]string{
		"empty":             "",
		"no separators":     "SCRAM-SHA-256",
		"another scheme":    strings.Replace(rfc7677, "SHA-256", "SHA-257", 1),
		"-PLUS":             strings.Replace(rfc7677, "SHA-256", "SHA-256-PLUS", 1),
		"lower case":        strings.ToLower(rfc7677),
		"no count":          strings.Replace(rfc7677, "4096", "", 1),
		"count zero":        strings.Replace(rfc7677, "4096", "0", 1),
		"leading zero":      strings.Replace(rfc7677, "4096", "04096", 1),
		"sign":              strings.Replace(rfc7677, "4096", "+4096", 1),
		"count too large":   strings.Replace(rfc7677, "4096", "2147483648", 1),
		"over the bound":    strings.Replace(rfc7677, "4096", "10000001", 1),
		"no salt":           strings.Replace(rfc7677, "W22ZaJ0SNY7soEsUEjb6gQ==", "", 1),
		"salt not base64":   strings.Replace(rfc7677, "W22Z", "!!!!", 1),
		"salt with newline": strings.Replace(rfc7677, "W22Z", "W22Z\n", 1),
		"short key":         strings.Replace(rfc7677, "WG5d", "", 1),
		"keys of SHA-1":     strings.Replace(rfc7677, "SHA-256", "SHA-1", 1),
		"something behind":  rfc7677 + "$",
		"too long":          rfc7677 + strings.Repeat(" ", 8<<10),
	} {
		record, err := verifier.Parse(text)
		if sasl.ClassOf(err) != sasl.ErrConfig {
			t.Errorf("%s: %v, %v", name, record, err)
		}
		if err != nil && (strings.Contains(err.Error(), "WG5d") || strings.Contains(err.Error(), "wfPL")) {
			t.Errorf("%s: the error tells a key: %v", name, err)
		}
	}
	if record, err := verifier.Parse(strings.Replace(rfc7677, "4096", "10000000", 1)); err != nil || record.Iterations != 10_000_000 {
		t.Errorf("the largest count: %v", err)
	}
	// RFC 3112 s2.2 allows spaces around the separators.
	if _, err := verifier.Parse(" " + strings.NewReplacer("$", " $ ", ":", " : ").Replace(rfc7677) + " "); err != nil {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(rfc7677)
	for _, text := range others {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		record, err := verifier.Parse(text)
		if err != nil {
			return
		}
		canonical := verifier.Format(record)
		again, err := verifier.Parse(canonical)
		if err != nil || verifier.Format(again) != canonical {
			t.Fatalf("%q became %q, %v", text, canonical, err)
		}
	})
}

func ExampleParse() {
	record, err := verifier.Parse(rfc7677)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(record.Hash, record.Iterations, record.StoredKey)
	// Output: SHA-256 4096 sasl.Secret(…)
}
