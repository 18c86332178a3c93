package smtptest

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"testing"
)

// Injecting is a server with STARTTLS and, in front of it, somebody who shows
// PLAIN before TLS and puts more of it behind the answer to STARTTLS. It
// returns the client's AUTH command.
func Injecting(t *testing.T, certificate tls.Certificate) (address string, auth chan string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	auth = make(chan string, 1)
	done := make(chan struct{})
	t.Cleanup(func() {
		listener.Close()
		<-done
	})
	go func() {
		defer close(done)
		defer close(auth)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		lines := bufio.NewReader(conn)
		io.WriteString(conn, "220 hi\r\n")
		lines.ReadString('\n') // EHLO
		io.WriteString(conn, "250-mail.example.org\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n")
		lines.ReadString('\n') // STARTTLS
		io.WriteString(conn, "220 go ahead\r\n250-mail.example.org\r\n250 AUTH PLAIN\r\n")
		secured := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate}})
		lines = bufio.NewReader(secured)
		lines.ReadString('\n') // EHLO
		io.WriteString(secured, "250-mail.example.org\r\n250 AUTH SCRAM-SHA-256\r\n")
		line, _ := lines.ReadString('\n')
		auth <- line
		io.WriteString(secured, "535 no\r\n")
	}()
	return listener.Addr().String(), auth
}
