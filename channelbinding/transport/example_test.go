package transport_test

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/saslkit/saslkit/channelbinding/transport"
)

// A line comes without its end. An end of the connection in a line is an error
// with a class.
func ExampleReadLine() {
	r := bufio.NewReader(strings.NewReader("* OK ready\r\n* BY"))
	for range 2 {
		line, err := transport.ReadLine(r)
		fmt.Printf("%q %v\n", line, err)
	}
	// Output:
	// "* OK ready" <nil>
	// "" connection error: unexpected EOF
}
