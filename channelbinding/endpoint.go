package channelbinding

import (
	"crypto"
	_ "crypto/sha3" // for crypto.Hash
	_ "crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
)

// serverEndPoint is tls-server-end-point (RFC 5929 s4.1): the certificate,
// hashed with the hash function of its signature, or with SHA-256 if that
// is MD5 or SHA-1. It is nil if the signature has no hash function of its
// own, or more than one.
func serverEndPoint(leaf *x509.Certificate) []byte {
	if leaf == nil {
		return nil
	}
	h := signatureHash(leaf.Raw)
	switch h {
	case 0:
		return nil
	case crypto.MD5, crypto.SHA1:
		h = crypto.SHA256
	}
	sum := h.New()
	sum.Write(leaf.Raw)
	return sum.Sum(nil)
}

// signatureHash returns the one hash function of a certificate's signature, 0
// if there is no such. It looks at the certificate itself, because crypto/x509
// has no word for some algorithms that certificates have.
func signatureHash(der []byte) crypto.Hash {
	var certificate struct {
		TBS       asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}
	if rest, err := asn1.Unmarshal(der, &certificate); err != nil || len(rest) > 0 {
		return 0
	}
	oid := certificate.Algorithm.Algorithm.String()
	if oid == oidRSAPSS {
		return pssHash(certificate.Algorithm.Parameters.FullBytes)
	}
	return signatureHashes[oid]
}

const (
	oidRSAPSS = "1.2.840.113549.1.1.10"
	oidMGF1   = "1.2.840.113549.1.1.8"
)

// pssHash is the hash of RSASSA-PSS-params (RFC 4055 s3.1), if the mask is made
// with the same.
func pssHash(parameters []byte) crypto.Hash {
	var params struct {
		Hash    pkix.AlgorithmIdentifier `asn1:"optional,explicit,tag:0"`
		Mask    pkix.AlgorithmIdentifier `asn1:"optional,explicit,tag:1"`
		Salt    int                      `asn1:"optional,explicit,tag:2,default:20"`
		Trailer int                      `asn1:"optional,explicit,tag:3,default:1"`
	}
	if rest, err := asn1.Unmarshal(parameters, &params); err != nil || len(rest) > 0 {
		return 0
	}
	h, mask := crypto.SHA1, crypto.SHA1 // the defaults
	if len(params.Hash.Algorithm) > 0 {
		h = hashes[params.Hash.Algorithm.String()]
	}
	if len(params.Mask.Algorithm) > 0 {
		var maskHash pkix.AlgorithmIdentifier
		if _, err := asn1.Unmarshal(params.Mask.Parameters.FullBytes, &maskHash); err != nil || params.Mask.Algorithm.String() != oidMGF1 {
			return 0
		}
		mask = hashes[maskHash.Algorithm.String()]
	}
	if h != mask {
		return 0
	}
	return h
}

var hashes = map[string]crypto.Hash{
	"1.2.840.113549.2.5":      crypto.MD5,
	"1.3.14.3.2.26":           crypto.SHA1,
	"2.16.840.1.101.3.4.2.1":  crypto.SHA256,
	"2.16.840.1.101.3.4.2.2":  crypto.SHA384,
	"2.16.840.1.101.3.4.2.3":  crypto.SHA512,
	"2.16.840.1.101.3.4.2.4":  crypto.SHA224,
	"2.16.840.1.101.3.4.2.5":  crypto.SHA512_224,
	"2.16.840.1.101.3.4.2.6":  crypto.SHA512_256,
	"2.16.840.1.101.3.4.2.7":  crypto.SHA3_224,
	"2.16.840.1.101.3.4.2.8":  crypto.SHA3_256,
	"2.16.840.1.101.3.4.2.9":  crypto.SHA3_384,
	"2.16.840.1.101.3.4.2.10": crypto.SHA3_512,
}

// signatureHashes are the signature algorithms with one hash function
// (RFC 8017, RFC 3279, RFC 5758, RFC 8692, NIST's sigAlgs).
var signatureHashes = map[string]crypto.Hash{
	// RSASSA-PKCS1-v1_5
	"1.2.840.113549.1.1.4":    crypto.MD5,
	"1.2.840.113549.1.1.5":    crypto.SHA1,
	"1.3.14.3.2.29":           crypto.SHA1,
	"1.2.840.113549.1.1.14":   crypto.SHA224,
	"1.2.840.113549.1.1.11":   crypto.SHA256,
	"1.2.840.113549.1.1.12":   crypto.SHA384,
	"1.2.840.113549.1.1.13":   crypto.SHA512,
	"1.2.840.113549.1.1.15":   crypto.SHA512_224,
	"1.2.840.113549.1.1.16":   crypto.SHA512_256,
	"2.16.840.1.101.3.4.3.13": crypto.SHA3_224,
	"2.16.840.1.101.3.4.3.14": crypto.SHA3_256,
	"2.16.840.1.101.3.4.3.15": crypto.SHA3_384,
	"2.16.840.1.101.3.4.3.16": crypto.SHA3_512,
	// ECDSA
	"1.2.840.10045.4.1":       crypto.SHA1,
	"1.2.840.10045.4.3.1":     crypto.SHA224,
	"1.2.840.10045.4.3.2":     crypto.SHA256,
	"1.2.840.10045.4.3.3":     crypto.SHA384,
	"1.2.840.10045.4.3.4":     crypto.SHA512,
	"2.16.840.1.101.3.4.3.9":  crypto.SHA3_224,
	"2.16.840.1.101.3.4.3.10": crypto.SHA3_256,
	"2.16.840.1.101.3.4.3.11": crypto.SHA3_384,
	"2.16.840.1.101.3.4.3.12": crypto.SHA3_512,
	// DSA
	"1.2.840.10040.4.3":      crypto.SHA1,
	"2.16.840.1.101.3.4.3.1": crypto.SHA224,
	"2.16.840.1.101.3.4.3.2": crypto.SHA256,
	"2.16.840.1.101.3.4.3.3": crypto.SHA384,
	"2.16.840.1.101.3.4.3.4": crypto.SHA512,
}
