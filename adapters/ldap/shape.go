package saslldap

// maxDepth limits the nesting of a message, controls included: the library's parser
// is recursive.
const maxDepth = 32

// shape follows a message in pieces of any size, and verifies that every element
// ends inside the element around it. Otherwise the library would read on in the
// next message, and wait for data that does not come.
type shape struct {
	at     int           // octets seen
	ends   [maxDepth]int // the ends of the open elements, the innermost last
	depth  int           // the number of open elements
	header [16]byte      // the header of the next element, as far as it was read
	have   int           // octets of header
	skip   int           // octets left of a primitive element

	elements int // the number of headers read
	deepest  int // the largest depth
}

// pass examines the next octets.
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

// enter opens the element whose header is complete.
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
	s.elements++
	if s.header[0]&0x20 == 0 {
		s.skip = content
	} else {
		if s.depth == maxDepth {
			return errFrame
		}
		s.ends[s.depth] = s.at + content
		s.depth++
		s.deepest = max(s.deepest, s.depth)
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

// elementLength returns the length in the header of an element; complete reports
// whether the header has it.
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

// isWhole reports whether b is one message, each of whose elements ends inside the
// element around it.
func isWhole(b []byte) bool {
	_, whole := measure(b)
	return whole
}

// measure returns the shape of b too.
func measure(b []byte) (s shape, whole bool) {
	err := s.pass(b)
	return s, err == nil && s.depth == 0 && s.have == 0 && s.skip == 0
}
