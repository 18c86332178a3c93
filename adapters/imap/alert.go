package saslimap

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
)

// maxAlerts bounds the alerts that are kept.
const maxAlerts = 16

// withheld replaces a text that repeats a secret.
const withheld = "(withheld: it repeats a secret)"

// alerts are the texts that the server wants a person to see, oldest first, in
// the form in which the person sees them.
type alerts []string

// add keeps an alert. A server may repeat an alert in each of its answers.
func (a *alerts) add(text string) {
	text = sasl.Printable(text)
	if len(*a) < maxAlerts && text != "" && !slices.Contains(*a, text) {
		*a = append(*a, text)
	}
}

// screened returns the alerts as a person may see them. A secret may also be
// divided among several alerts, which a person sees one after the other.
func (a alerts) screened(repeats func(text string) bool) []string {
	shown := slices.Clone(a)
	for i, text := range shown {
		if repeats(text) {
			shown[i] = withheld
		}
	}
	rest := slices.DeleteFunc(slices.Clone(shown), func(text string) bool { return text == withheld })
	if !repeats(strings.Join(rest, "")) {
		return shown
	}
	return []string{withheld}
}

// shownIn removes the alerts that a person sees in an error already.
func (a *alerts) shownIn(err error) {
	if err != nil {
		text := err.Error()
		*a = slices.DeleteFunc(*a, func(alert string) bool { return strings.Contains(text, alert) })
	}
}

// Screen implements sasl.ScreeningInterface.
func (p protocol) Screen(repeats func(text string) bool) {
	p.screens[len(p.screens)-1] = repeats
}

// repeats reports whether a text repeats a secret of any login of the connection.
func (c *Conn) repeats(text string) bool {
	return slices.ContainsFunc(c.screens, func(repeats func(string) bool) bool { return repeats(text) })
}

// screen withholds an error in the server's words that repeats a secret of an
// earlier login. A sasl.Client knows only those of its own.
func (c *Conn) screen(err error) error {
	if err == nil || !c.repeats(err.Error()) {
		return err
	}
	var refused *sasl.Failure
	if !errors.As(err, &refused) {
		return fmt.Errorf("%w: the reason is withheld, because it repeats a secret", sasl.ClassOf(err))
	}
	refused.Text, refused.Err = withheld, nil
	return err
}
