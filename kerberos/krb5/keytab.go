package krb5

import (
	"fmt"
	"os"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
)

// keytab is the content of a keytab.
type keytab []keytabEntry

type keytabEntry struct {
	principal principal
	version   uint32 // of the key
	key       key
}

// of returns the keys of a principal.
func (k keytab) of(p principal) (keys keytab) {
	for _, entry := range k {
		if entry.principal.is(p) {
			keys = append(keys, entry)
		}
	}
	return keys
}

// readKeytab reads a keytab of version 2, the only one that does not depend on the
// machine that wrote it. The result has at least one key.
func readKeytab(path string) (keytab, error) {
	if path == "" {
		path = os.Getenv("KRB5_CLIENT_KTNAME")
	}
	path = strings.TrimPrefix(path, "FILE:")
	if path == "" {
		return nil, fmt.Errorf("%w: no keytab: pass its path or set KRB5_CLIENT_KTNAME", sasl.ErrConfig)
	}
	content, err := readFile("the keytab", path)
	if err != nil {
		return nil, err
	}
	keys, ok := parseKeytab(content)
	if !ok {
		return nil, fmt.Errorf("%w: the keytab %s is malformed or truncated: make another one", sasl.ErrConfig, path)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%w: the keytab %s has no key: make another one", sasl.ErrConfig, path)
	}
	return keys, nil
}

func parseKeytab(content []byte) (keys keytab, ok bool) {
	o := &octets{rest: content}
	if o.uint16() != 0x0502 {
		return nil, false
	}
	for len(o.rest) > 0 && !o.failed {
		size := int32(o.uint32())
		switch {
		case size == 0:
			return keys, !o.failed // what follows has no meaning
		case size < 0: // the entry was deleted
			o.take(uint32(-int64(size)))
			continue
		}
		entry := &octets{rest: o.take(uint32(size))}
		keys = append(keys, entry.keytabEntry())
		o.failed = o.failed || entry.failed
	}
	return keys, !o.failed
}

func (o *octets) keytabEntry() (e keytabEntry) {
	components := o.uint16()
	e.principal.realm = string(o.field16())
	if components > maxComponents {
		o.failed = true
		return e
	}
	for range components {
		e.principal.name = append(e.principal.name, string(o.field16()))
	}
	o.take(8) // the type of the name, and a time
	e.version = uint32(o.uint8())
	keyType := int32(o.uint16())
	e.key = newKey(keyType, o.field16())
	if len(o.rest) >= 4 {
		if version := o.uint32(); version != 0 {
			e.version = version
		}
	}
	return e
}
