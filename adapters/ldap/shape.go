package saslldap

// maxDepth is how far a message nests at most, controls included: what the
// library makes of one recurses.
const maxDepth = 32

// shape follows a message, in whatever pieces it comes, and sees that every
// element in it ends inside the one that it is in. Otherwise the library would
// read on in the messages behind it, and wait for what is not to come.
type shape struct {
	at     int           // octets seen
	ends   [maxDepth]int // where the elements that are open end, the innermost last
	depth  int           // how many are open
	header [16]byte      // of the next element, as far as it has come
	have   int           // octets of it
	skip   int           // what is left of a primitive element
}

// pass looks at the next octets.
func (s *shape) pass(b []byte) error {
	for len(b) > 0 {
		if s.skip > 0 {
			n := min(s.skip, len(b))
			s.skip, s.at, b = s.skip-n, s.at+n, b[n:]
			s.leave()
			continue
		}
		if s.have == len(s.header) {
			return errFrame
		}
		s.header[s.have] = b[0]
		s.have, s.at, b = s.have+1, s.at+1, b[1:]
		if err := s.enter(); err != nil {
			return err
		}
	}
	return nil
}

// enter opens an element, if its header is complete.
func (s *shape) enter() error {
	content, complete, err := elementLength(s.header[:s.have])
	switch {
	case err != nil:
		return err
	case !complete && s.depth > 0 && s.at >= s.ends[s.depth-1]:
		return errFrame
	case !complete:
		return nil
	case s.depth > 0 && content > s.ends[s.depth-1]-s.at:
		return errFrame
	}
	s.have = 0
	if s.header[0]&0x20 == 0 {
		s.skip = content
	} else {
		if s.depth == maxDepth {
			return errFrame
		}
		s.ends[s.depth] = s.at + content
		s.depth++
	}
	s.leave()
	return nil
}

// leave closes the elements that end here.
func (s *shape) leave() {
	for s.skip == 0 && s.depth > 0 && s.ends[s.depth-1] == s.at {
		s.depth--
	}
}

// elementLength reads the length out of the header of an element, if it is
// complete.
func elementLength(h []byte) (content int, complete bool, err error) {
	length := 1
	if h[0]&0x1f == 0x1f { // a tag of several octets
		for length < len(h) && h[length]&0x80 != 0 {
			length++
		}
		length++
	}
	if len(h) <= length {
		return 0, false, nil
	}
	content, start, err := parseLength(h[length-1:])
	return content, start <= len(h)-(length-1), err
}

// isWhole reports whether b is one message of elements that end where they should.
func isWhole(b []byte) bool {
	var s shape
	return s.pass(b) == nil && s.depth == 0 && s.have == 0 && s.skip == 0
}
