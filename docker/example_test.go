package docker_test

import (
	"fmt"
	"strings"

	"github.com/saslkit/saslkit/docker"
)

// The configuration of a server that the integration tests run.
func Example() {
	config, err := docker.Files.ReadFile("dovecot/dovecot.conf")
	if err != nil {
		fmt.Println(err)
		return
	}
	for line := range strings.Lines(string(config)) {
		if strings.HasPrefix(line, "protocols") {
			fmt.Print(line)
		}
	}
	// Output: protocols = imap submission
}
