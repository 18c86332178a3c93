package sasl

import (
	"context"
	"crypto/fips140"
	"crypto/hmac"
	"encoding/hex"
	"testing"
)

// TestHi uses the vectors of RFC 6070 s2 with a dkLen of the hash's length.
func TestHi(t *testing.T) {
	if fips140.Enforced() { // under FIPS 140 hi is not used, and SHA-1 panics
		t.Log("hi is not used if FIPS 140 is enforced")
		return
	}
	for _, row := range []struct {
		password, salt string
		iterations     int
		want           string
	}{
		{"password", "salt", 1, "0c60c80f961f0e71f3a9b524af6012062fe037a6"},
		{"password", "salt", 2, "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957"},
		{"password", "salt", 4096, "4b007901b765489abead49d926f721d065a429c1"},
	} {
		got, err := hi(context.Background(), hmac.New(SHA1.hash, []byte(row.password)), []byte(row.salt), row.iterations)
		if err != nil || hex.EncodeToString(got) != row.want {
			t.Errorf("%d iterations: %x, %v, want %s", row.iterations, got, err, row.want)
		}
	}
}
