package main

import "io"

// output is the standard output. It remembers the first error, so that a full disk
// or a closed output is a failure of the command.
type output struct {
	io.Writer
	err error
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.Writer.Write(p)
	if err != nil && o.err == nil {
		o.err = err
	}
	return n, err
}

// lost returns the error of a lost output; nil if everything was written.
func (o *output) lost() error {
	if o.err == nil {
		return nil
	}
	return usageError("the output is lost: %w", o.err)
}
