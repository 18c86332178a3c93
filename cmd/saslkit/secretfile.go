package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
)

// maxSecret is the longest password or token that is read, in octets.
const maxSecret = 32 << 10

// secretFromFile reads a secret from the first line of a file; "-" is the standard
// input. It reports a file that other users may read, because its secret is then
// known to them.
func secretFromFile(flag, name string) (sasl.Secret, error) {
	if name == "-" {
		return secretFromLine(flag, os.Stdin)
	}
	file, err := os.Open(name)
	if err != nil {
		return sasl.Secret{}, usageError("%s: %w", flag, err)
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() && othersRead(info) {
		fmt.Fprintf(os.Stderr, "saslkit: warning: other users may read %s: use chmod 600\n", sasl.Printable(name))
	}
	return secretFromLine(flag, file)
}

// secretFromLine reads a secret from the first line, without the end of the line.
func secretFromLine(flag string, r io.Reader) (sasl.Secret, error) {
	line, err := bufio.NewReader(io.LimitReader(r, maxSecret+2)).ReadString('\n')
	line = strings.TrimRight(line, "\r\n")
	switch {
	case err != nil && err != io.EOF:
		return sasl.Secret{}, usageError("%s: %w", flag, err)
	case len(line) > maxSecret:
		return sasl.Secret{}, usageError("%s: the first line is over 32 KiB: put the secret alone into the first line", flag)
	}
	return sasl.NewSecret(line), nil
}
