package channelbinding

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"os"
	"testing"
)

// TestServerEndPoint: certificates made with OpenSSL, hashed with
// openssl dgst. An empty hash says that the type is undefined.
func TestServerEndPoint(t *testing.T) {
	for name, want := range map[string]string{
		"ecdsa-sha1":          "203d4bc1796bf00ea923c77782c338e70811c5d83e90852d52f534507364aaac",
		"ecdsa-sha224":        "0f28998033c4a9747fa0abc42571fef0159d6e5f66323fcaf0651b70",
		"ecdsa-sha256":        "119b3b9e61be186f2c439b43f5de3d6017a56c8f13ee8d8b8e355ecc42d66099",
		"ecdsa-sha3-384":      "07cb2454596ecf3f79609d7a053ea437ec0d21a4de47f5f8b44a9634ac8fb313d73ffc5df6b3f98e8245c96b263afbfd",
		"ecdsa-sha384":        "c9487fcdc35409920b6d8c8bbcc651ff30031e5966433471a7ad3e76d15fc42a9927a455ae58a89066e8467241c130db",
		"ecdsa-sha512":        "fc5556d6d6fdb8ec199cea2e4675b088011447dd74b57c7172fa92ebee1729914689989aa17df7955e0091b1ad1f989d9e7f551e8008feb4586058a0d3a68996",
		"ed25519":             "",
		"ed448":               "",
		"ml-dsa-65":           "",
		"pss-sha1":            "189b1ee77f1f009e95b8b7adcb3d971e9356ad53cfaa3f7954c27ff80461e1d3",
		"pss-sha256-mgf-sha1": "",
		"pss-sha256":          "4ffc1eb9e2925b638b6431e7445ac17fea35c72df37418679cea43e8569722b8",
		"pss-sha384":          "a87f1c05488307320db1f2908c81a530735deb37125d5f78343da46aeab896a27bf2befbeb606dc130116298bbd60774",
		"pss-sha512-salt20":   "16a79f3a412ba0e0e542ab701665e37abfd9ff50c2608484134bbee3ea112ef53a49f70856d998fb34bb1415cc93d7ebb96caed5da4c22dfba8b040fcf406747",
		"pss-sha512":          "df83f3fda9f8dcdff0ffdc55eb18ea562eeba5764a83cd3898593215ae9055e480bff6db1b5153e9a33f74e7a8077e5f742e529fe16d38f45f4f1e7b92aad5f9",
		"rsa-md5":             "30275f5de953f6902c1b32580192c8ad2293f3dcebb61f5dfae750fd18179f16",
		"rsa-sha1":            "57647ba1fe78e87e42384b6b4fbadc8f397bfaecbe5d7ee94ecc85c4dd25ca42",
		"rsa-sha224":          "737bfe67bec99bf8bd7b8f3c05d6894d1d13ce5f761e4bc0f1dc7c12",
		"rsa-sha256":          "18d00dc87a72b70ce2dfe07215bd0022445644e6f0e0995aa4d24d3689575cc7",
		"rsa-sha3-256":        "a954033d07241760e163d4a1d5583e578d538301f3631f6319658b4a90429bd2",
		"rsa-sha3-512":        "6fca05cc8fdce456c839e95c24ea7d7d8daecd4620d659d0a27a93b9897f5fdb6dfcfa58d0702b53d3452e5365a9e282ab8fc4cf3d7b4865e3e7d295fd6f2fdd",
		"rsa-sha384":          "d6abf841c1fa0cdf2eef0fe5ca52538c54f779528dd28c3db921aea53a81e914fd8a45a07751c7f8daea1881a0cf3f45",
		"rsa-sha512-256":      "107432c4a1b2aab999a12c23dac58fd8afca9dfb111f8c806f2dc8511ba28d41",
		"rsa-sha512":          "2307d3aa5690f0ac0475794ab9933956cb588fc9f2cbc04e7de322454d31070ef0bdab12387b060a8f3126dbb6de9a64854190a656fd5f8483d3688803b8bd93",
	} {
		text, err := os.ReadFile("testdata/" + name + ".pem")
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(text)
		if got := hex.EncodeToString(serverEndPoint(&x509.Certificate{Raw: block.Bytes})); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if serverEndPoint(nil) != nil || serverEndPoint(&x509.Certificate{}) != nil || serverEndPoint(&x509.Certificate{Raw: []byte("\x30\x80")}) != nil {
		t.Error("a binding to no certificate")
	}
}

// FuzzServerEndPoint: any certificate terminates, without a panic.
func FuzzServerEndPoint(f *testing.F) {
	for _, name := range []string{"rsa-sha256", "pss-sha256", "ecdsa-sha384", "ml-dsa-65"} {
		text, err := os.ReadFile("testdata/" + name + ".pem")
		if err != nil {
			f.Fatal(err)
		}
		block, _ := pem.Decode(text)
		f.Add(block.Bytes)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		if n := len(serverEndPoint(&x509.Certificate{Raw: der})); n != 0 && (n < 28 || n > 64) {
			t.Errorf("%d octets", n)
		}
	})
}
