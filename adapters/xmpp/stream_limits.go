package saslxmpp

import (
	"context"
	"encoding/base64"
	"encoding/xml"
	"strconv"

	"mellium.im/xmpp"
)

// nsLimits is the namespace of the limits that a server states for a stream
// (XEP-0478).
const nsLimits = "urn:xmpp:stream-limits:0"

// limitsFeature keeps the largest element that the server accepts on the stream, in
// octets. A server ends the stream at a larger one.
func limitsFeature() xmpp.StreamFeature {
	return xmpp.StreamFeature{
		Name:       xml.Name{Space: nsLimits, Local: "limits"},
		Prohibited: xmpp.Authn,
		Parse: func(_ context.Context, d *xml.Decoder, start *xml.StartElement) (bool, any, error) {
			list, err := readRest(d, *start)
			stated, ok := list.child(nsLimits, "max-bytes")
			if err != nil || !ok {
				return false, nil, err
			}
			octets, invalid := strconv.ParseUint(stated.Text, 10, 31)
			if invalid != nil {
				return false, nil, nil // it is no limit then
			}
			return false, int(octets), nil
		},
	}
}

// The parts of an element beside the message, in octets or characters.
const (
	ofTokens    = 256                    // the elements of XEP-0484, for which the Client asks later
	longestName = "XXXXXXXXXXXXXXXXXXXX" // of a mechanism (RFC 4422 s3.1)
)

// maxMessage returns the largest message of a mechanism that fits into the element
// with which a login begins; 0 = the server states no limit.
func maxMessage(s *xmpp.Session, element string) int {
	data, _ := s.Feature(nsLimits)
	octets, stated := data.(int)
	if !stated {
		return 0
	}
	return max(1, base64.StdEncoding.DecodedLen(octets-len(element)-ofTokens))
}
