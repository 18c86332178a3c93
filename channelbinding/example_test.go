package channelbinding_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/saslkit/saslkit/channelbinding"
)

// ClientConn returns the proofs and the bindings of a client's connection, the best
// binding first.
func ExampleClientConn() {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	trust := server.Client().Transport.(*http.Transport).TLSClientConfig
	conn, err := tls.Dial("tcp", server.Listener.Addr().String(), &tls.Config{RootCAs: trust.RootCAs, ServerName: "example.com"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	info, err := channelbinding.ClientConn(conn, "example.com")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("secure:", info.Secure)
	for _, binding := range info.Bindings {
		fmt.Println(binding.Type, len(binding.Data))
	}
	// Output:
	// secure: true
	// tls-exporter 32
	// tls-server-end-point 32
}
