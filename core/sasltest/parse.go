package sasltest

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
)

// Parse reads the text form of a transcript.
func Parse(name, text string) (*Transcript, error) {
	t := &Transcript{Name: name}
	inHeader := true
	for number, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		var err error
		switch {
		case strings.HasPrefix(line, "#"):
		case inHeader && line == "":
			inHeader = false
		case inHeader:
			err = t.parseHeader(line)
		default:
			err = t.parseLine(line)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, number+1, err)
		}
	}
	if t.TokenFor == "" {
		t.TokenFor = t.MechanismName
	}
	if t.MechanismName == "" || t.Expect == "" || t.Source == "" {
		return nil, fmt.Errorf("%s: source, mechanism or expect is missing", name)
	}
	return t, nil
}

func (t *Transcript) parseHeader(line string) (err error) {
	key, value, ok := strings.Cut(line, ": ")
	if !ok {
		return fmt.Errorf("an invalid header: %q: write key: value", line)
	}
	if target := t.quotedHeader(key); target != nil {
		*target, err = strconv.Unquote(value)
		return err
	}
	switch key {
	case "source":
		t.Source = value
	case "mechanism":
		t.MechanismName = value
	case "token-for":
		t.TokenFor = value
	case "role":
		t.Role = Role(value)
	case "level":
		t.Level = value
	case "expect":
		t.Expect = sasl.Class(value)
	case "salt":
		t.Salt, err = base64.StdEncoding.DecodeString(value)
	case "port":
		t.Port, err = strconv.Atoi(value)
	case "iterations":
		t.Iterations, err = strconv.Atoi(value)
	case "offered":
		t.Offered = strings.Fields(value)
	case "binding-types":
		t.BindingTypes = strings.Fields(value)
	case "tls":
		t.TLSVersion, err = tlsVersion(value)
	case "flag":
		if len(value) != 1 {
			return fmt.Errorf("an invalid gs2-cbind-flag: %q: use one letter", value)
		}
		t.Flag = value[0]
	case "binding":
		var data string
		t.Binding.Type, data, _ = strings.Cut(value, " ")
		t.Binding.Data, err = base64.StdEncoding.DecodeString(data)
	default:
		err = fmt.Errorf("unknown header %q", key)
	}
	return err
}

// quotedHeader returns the field of a header whose value is a quoted string. The
// result is nil for any other header.
func (t *Transcript) quotedHeader(key string) *string {
	return map[string]*string{
		"username": &t.Username, "password": &t.Password, "authzid": &t.Authzid, "trace": &t.Trace,
		"client-nonce": &t.ClientNonce, "server-nonce": &t.ServerNonce, "peer": &t.Peer, "token": &t.Token,
		"bearer": &t.Bearer, "host": &t.Host, "service": &t.Service, "realm": &t.Realm,
	}[key]
}

// tlsVersion returns the number of crypto/tls for the texts 1.2 and 1.3.
func tlsVersion(text string) (uint16, error) {
	version, ok := map[string]uint16{"1.2": 0x0303, "1.3": 0x0304}[text]
	if !ok {
		return 0, fmt.Errorf("an invalid version of TLS: %q: use 1.2 or 1.3", text)
	}
	return version, nil
}

func (t *Transcript) parseLine(text string) (err error) {
	op, rest, _ := strings.Cut(text, " ")
	line := Line{Op: Op(op)}
	switch line.Op {
	case ClientSends, Challenge, Succeed:
		line.Data, err = parseMessage(rest)
	case Refuse:
		line.Condition = sasl.Condition(rest)
	case ClientAborts, ClientCloses, Cut, Stall:
		if rest != "" {
			err = fmt.Errorf("%q has an argument: write the op alone", op)
		}
	default:
		err = fmt.Errorf("unknown op %q", op)
	}
	t.Lines = append(t.Lines, line)
	return err
}

// parseMessage reads "-" or the pieces of a message.
func parseMessage(text string) ([]byte, error) {
	if text == "-" {
		return nil, nil
	}
	message := []byte{}
	for {
		piece, rest, err := parsePiece(text)
		if err != nil {
			return nil, err
		}
		message = append(message, piece...)
		if rest == "" {
			return message, nil
		}
		text = strings.TrimPrefix(rest, " ")
	}
}

// parsePiece reads a quoted string, or repeat(quoted string,count).
func parsePiece(text string) (piece, rest string, err error) {
	unquoted, repeated := strings.CutPrefix(text, "repeat(")
	quoted, err := strconv.QuotedPrefix(unquoted)
	if err != nil {
		return "", "", fmt.Errorf("an invalid message: %q: quote the message", text)
	}
	piece, _ = strconv.Unquote(quoted) // no error, because QuotedPrefix accepted the text
	rest = unquoted[len(quoted):]
	if !repeated {
		return piece, rest, nil
	}
	count, rest, ok := strings.Cut(strings.TrimPrefix(rest, ","), ")")
	times, err := strconv.Atoi(count)
	if err != nil || !ok || times < 0 || times*len(piece) > 16<<20 {
		return "", "", fmt.Errorf("an invalid repeat: %q: write repeat(\"text\",count)", text)
	}
	return strings.Repeat(piece, times), rest, nil
}
