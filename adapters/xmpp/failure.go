package saslxmpp

import (
	"strings"

	sasl "github.com/saslkit/saslkit/core"
)

// Refusal is what a server says in refusing (RFC 6120 s6.4.5, s6.5): its words,
// unverified. It is in a *sasl.Failure, from where errors.As gets it.
type Refusal struct {
	Condition string // as the server has it; "" = it gave none
	Text      string
	Lang      string // of the text, if the server says so
	// Application are the elements of other namespaces.
	Application []Element
}

func (r *Refusal) Error() string {
	text := "refused with " + sasl.Printable(r.Condition)
	if r.Text != "" {
		text += ": " + sasl.Printable(r.Text)
	}
	return text
}

// TasksError is the error of a login that the server wants to be followed by
// tasks, such as a second factor, before it lets us in (XEP-0388 s2.6.3). Its
// class is ErrAuthorization.
type TasksError struct {
	Tasks []string // any one of them would do
	Text  string   // the server's word for people
}

func (e *TasksError) Error() string {
	text := sasl.ErrAuthorization.Error() + ": the server demands another task: " + sasl.Printable(strings.Join(e.Tasks, " "))
	if e.Text != "" {
		text += ": " + sasl.Printable(e.Text)
	}
	return text
}

// Unwrap returns the class.
func (e *TasksError) Unwrap() error { return sasl.ErrAuthorization }

// failure is the refusal that <failure/> is. The conditions are in RFC 6120's
// namespace in both profiles; some servers leave them in SASL2's.
func failure(e *Element) *sasl.Failure {
	refusal := &Refusal{}
	for _, child := range e.Children {
		switch {
		case child.Name.Space != nsSASL && child.Name.Space != e.Name.Space:
			refusal.Application = append(refusal.Application, child)
		case child.Name.Local == "text":
			refusal.Text = child.Text
			for _, a := range child.Attr {
				if a.Name.Local == "lang" {
					refusal.Lang = a.Value
				}
			}
		case refusal.Condition == "":
			refusal.Condition = child.Name.Local
		}
	}
	return &sasl.Failure{Condition: sasl.Condition(refusal.Condition), Text: refusal.Text, Err: refusal}
}
