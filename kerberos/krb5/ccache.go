package krb5

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

// cache is the content of a credential cache.
type cache struct {
	path      string
	principal principal
	tickets   []ticket
}

// ticket is a ticket with its session key, for client.
type ticket struct {
	client, service principal
	encoded         []byte // the Ticket of RFC 4120 s5.3
	key             key
	start, end      time.Time
}

// cachePath returns the path of a cache.
func cachePath(path string) (string, error) {
	if path == "" {
		path = os.Getenv("KRB5CCNAME")
	}
	if path == "" {
		path = "/tmp/krb5cc_" + strconv.Itoa(os.Getuid())
	}
	kind, rest, found := strings.Cut(path, ":")
	switch {
	case found && kind == "FILE":
		return rest, nil
	case found && len(kind) > 1 && strings.ToUpper(kind) == kind: // one letter is a drive
		return "", fmt.Errorf("%w: the credential cache is of the type %s, and only FILE can be read: set KRB5CCNAME=FILE:/path and call kinit again",
			sasl.ErrConfig, sasl.Printable(kind))
	}
	return path, nil
}

// readCache reads a credential cache of version 3 or 4. The earlier versions depend
// on the machine that wrote them.
func readCache(path string) (*cache, error) {
	path, err := cachePath(path)
	if err != nil {
		return nil, err
	}
	content, err := readFile("the credential cache", path)
	if err != nil {
		return nil, err
	}
	c, ok := parseCache(content)
	if !ok {
		return nil, fmt.Errorf("%w: the credential cache %s is malformed or truncated: call kinit again", sasl.ErrConfig, path)
	}
	c.path = path
	return c, nil
}

// maxComponents limits the components of a name.
const maxComponents = 16

func parseCache(content []byte) (*cache, bool) {
	o := &octets{rest: content}
	version := o.uint16()
	if version == 0x0504 {
		o.field16() // the header
	} else if version != 0x0503 {
		return nil, false
	}
	c := &cache{principal: o.cachePrincipal()}
	for len(o.rest) > 0 {
		c.tickets = append(c.tickets, o.cacheTicket(version))
	}
	return c, !o.failed && len(c.principal.name) > 0
}

func (o *octets) cachePrincipal() (p principal) {
	o.uint32() // the type of the name
	components := o.uint32()
	p.realm = string(o.field32())
	if components > maxComponents {
		o.failed = true
		return p
	}
	for range components {
		p.name = append(p.name, string(o.field32()))
	}
	return p
}

func (o *octets) cacheTicket(version uint16) (t ticket) {
	t.client, t.service = o.cachePrincipal(), o.cachePrincipal()
	keyType := int32(o.uint16())
	if version == 0x0503 {
		o.uint16() // the type again
	}
	t.key = newKey(keyType, o.field32())
	authenticated := o.cacheTime()
	if t.start = o.cacheTime(); t.start.Unix() == 0 {
		t.start = authenticated
	}
	t.end = o.cacheTime()
	o.cacheTime()              // the end of renewing
	o.take(5)                  // a mark of user-to-user, and the flags
	for range o.cacheCount() { // addresses
		o.uint16()
		o.field32()
	}
	for range o.cacheCount() { // authorization data
		o.uint16()
		o.field32()
	}
	t.encoded = o.field32()
	o.field32() // a second ticket
	return t
}

// cacheCount reads the number of elements that follow, each of at least 6 octets.
func (o *octets) cacheCount() uint32 {
	n := o.uint32()
	if uint64(n)*6 > uint64(len(o.rest)) {
		o.rest, o.failed = nil, true
		return 0
	}
	return n
}

func (o *octets) cacheTime() time.Time { return time.Unix(int64(o.uint32()), 0) }
