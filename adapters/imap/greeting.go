package saslimap

import (
	"fmt"
	"slices"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
)

// greet reads the server's greeting (RFC 9051 s7.1.5).
func (c *Conn) greet() error {
	resp, err := readResponse(c.reader)
	if err != nil {
		return err
	}
	c.note(resp)
	switch {
	case resp.tag == "*" && resp.status == "OK":
		return nil
	case resp.tag == "*" && resp.status == "PREAUTH":
		c.preauth = true
		return nil
	case resp.tag == "*" && resp.status == "BYE":
		return fmt.Errorf("%w: the server turns us away: %s", sasl.ErrConnection, sasl.Printable(resp.text))
	}
	return fmt.Errorf("%w: the server's greeting is no IMAP greeting", sasl.ErrProtocol)
}

// startTLS has the server begin with TLS.
func (c *Conn) startTLS() error {
	if c.preauth {
		return fmt.Errorf("%w: the server greeted with PREAUTH, after which there is no STARTTLS", sasl.ErrSecurity)
	}
	resp, err := c.command("STARTTLS")
	switch {
	case err != nil:
		return err
	case resp.status != "OK":
		return &startTLSRefused{resp}
	case c.reader.Buffered() > 0:
		// It would be taken for something said under TLS.
		return fmt.Errorf("%w: somebody put more data behind the server's answer to STARTTLS", sasl.ErrSecurity)
	}
	return nil
}

// startTLSRefused is an ErrSecurity; the library's error is there for errors.As.
type startTLSRefused struct{ response response }

func (e *startTLSRefused) Error() string {
	return sasl.ErrSecurity.Error() + ": the server refuses STARTTLS, or somebody took it away: " + sasl.Printable(e.response.text)
}

func (e *startTLSRefused) Unwrap() []error {
	return []error{sasl.ErrSecurity, e.response.failure().Err}
}

// askCapabilities asks for what neither greeting nor answer told.
func (c *Conn) askCapabilities() error {
	resp, err := c.command("CAPABILITY")
	if err != nil {
		return err
	}
	if resp.status != "OK" || c.capabilities == nil {
		return fmt.Errorf("%w: the server does not tell its capabilities", sasl.ErrProtocol)
	}
	return nil
}

func (c *Conn) command(name string) (response, error) {
	tag := c.nextTag()
	if err := c.writeLine(tag + " " + name); err != nil {
		return response{}, err
	}
	resp, err := c.await(tag)
	if err == nil && resp.tag == "+" {
		err = fmt.Errorf("%w: the server asks for more where there is nothing", sasl.ErrProtocol)
	}
	return resp, err
}

// maxAlerts bounds the alerts that are kept.
const maxAlerts = 16

// note takes in what a response says besides its own matter.
func (c *Conn) note(resp response) {
	switch {
	case resp.code == "ALERT" && len(c.alerts) < maxAlerts:
		c.alerts = append(c.alerts, c.alert(resp.text))
	case resp.code == "CAPABILITY":
		c.setCapabilities(resp.args)
	case resp.tag == "*" && resp.status == "":
		if word, list, _ := strings.Cut(resp.text, " "); strings.EqualFold(word, "CAPABILITY") {
			c.setCapabilities(list)
		}
	}
}

// alert is the text of an alert, unless it repeats what was sent: the beginning
// of that is enough, because lines are cut where they are repeated.
func (c *Conn) alert(text string) string {
	const enough = 16
	payload := string(c.payload.Bytes())
	if len(payload) >= enough && strings.Contains(text, payload[:enough]) {
		return "(withheld: it repeats what was sent)"
	}
	return text
}

func (c *Conn) setCapabilities(list string) {
	c.capabilities = append([]string{}, strings.Fields(strings.ToUpper(list))...)
	c.fresh = true
}

func (c *Conn) has(capability string) bool { return slices.Contains(c.capabilities, capability) }
