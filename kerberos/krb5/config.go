package krb5

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
)

// config holds the settings of krb5.conf that this package knows. It ignores every
// other setting.
type config struct {
	defaultRealm string
	lookupKDC    bool                // ask DNS for the KDCs of a realm without kdc
	kdcs         map[string][]string // by realm
	realms       map[string]string   // by host, or by a domain that begins with a dot
	permitted    []int32             // the types of keys, most preferred first
	ticketTypes  []int32             // the types to ask for in a ticket-granting ticket
	serviceTypes []int32             // the types to ask for in a service ticket

	files int // the number of files read
}

// defaultConfig is the path of krb5.conf, which a test replaces.
var defaultConfig = "/etc/krb5.conf"

// maxConfigFiles limits the files of a configuration, with all that it includes.
const maxConfigFiles = 100

// readConfig reads krb5.conf, and the files that it includes. If files set the same
// value, the first one counts. The default file may be missing: the DNS has the KDCs.
func readConfig(path string) (*config, error) {
	c := &config{lookupKDC: true, kdcs: make(map[string][]string), realms: make(map[string]string)}
	if path == "" {
		path = os.Getenv("KRB5_CONFIG")
	}
	if path == "" {
		path = defaultConfig
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return c, c.complete()
		}
	}
	p := &configParser{config: c, set: make(map[string]bool)}
	for _, file := range filepath.SplitList(path) {
		if err := p.file(file); err != nil {
			return nil, err
		}
	}
	return c, c.complete()
}

// configParser reads the lines of krb5.conf.
type configParser struct {
	*config
	set     map[string]bool // the settings of libdefaults that are set
	section string
	realm   string // the subsection of realms; "" = none
	depth   int    // of braces
}

// file reads one file. Sections do not extend over the end of a file.
func (p *configParser) file(path string) error {
	if p.files++; p.files > maxConfigFiles {
		return fmt.Errorf("%w: krb5.conf includes more than %d files: remove a circle of includes", sasl.ErrConfig, maxConfigFiles)
	}
	content, err := readFile("krb5.conf", path)
	if err != nil {
		return err
	}
	outer := *p
	p.section, p.realm, p.depth = "", "", 0
	for i, line := range strings.Split(string(content), "\n") {
		if err := p.line(strings.TrimSpace(line)); err != nil {
			return fmt.Errorf("%w (%s, line %d)", err, path, i+1)
		}
	}
	p.section, p.realm, p.depth = outer.section, outer.realm, outer.depth
	return nil
}

func (p *configParser) line(line string) error {
	name, value, assigned := strings.Cut(line, "=")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	included, isFile := strings.CutPrefix(line, "include ")
	folder, isFolder := strings.CutPrefix(line, "includedir ")
	switch {
	case line == "" || line[0] == '#' || line[0] == ';':
	case isFile:
		return p.file(strings.TrimSpace(included))
	case isFolder:
		return p.folder(strings.TrimSpace(folder))
	case line[0] == '[' && p.depth == 0:
		section, _, closed := strings.Cut(line[1:], "]")
		if !closed {
			return fmt.Errorf("%w: krb5.conf: a section without ]", sasl.ErrConfig)
		}
		p.section, p.realm = section, ""
	case strings.HasPrefix(line, "}"):
		if p.depth--; p.depth < 0 {
			return fmt.Errorf("%w: krb5.conf: a } without a {", sasl.ErrConfig)
		}
	case assigned && value == "{":
		if p.depth++; p.depth == 1 {
			p.realm = name
		}
	case assigned:
		p.setting(name, strings.Trim(strings.TrimSuffix(value, "*"), `"`))
	case p.section != "" && !strings.HasPrefix(line, "module "):
		return fmt.Errorf("%w: krb5.conf: a line is neither a section nor a setting", sasl.ErrConfig)
	}
	return nil
}

// folder reads the files of a folder whose names have letters, digits, hyphens and
// underscores only, or end in .conf.
func (p *configParser) folder(path string) error {
	entries, err := os.ReadDir(path)
	if err != nil {
		return fmt.Errorf("%w: krb5.conf: %w", sasl.ErrConfig, err)
	}
	for _, entry := range entries {
		name := entry.Name()
		plain := strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == ""
		if !plain && (!strings.HasSuffix(name, ".conf") || name[0] == '.') {
			continue
		}
		if err := p.file(filepath.Join(path, name)); err != nil {
			return err
		}
	}
	return nil
}

func (p *configParser) setting(name, value string) {
	switch {
	case p.section == "libdefaults" && p.depth == 0 && !p.set[name]:
		p.set[name] = true
		p.libdefault(name, value)
	case p.section == "realms" && p.depth == 1 && name == "kdc":
		p.kdcs[p.realm] = append(p.kdcs[p.realm], value)
	case p.section == "domain_realm" && p.depth == 0:
		if domain := strings.ToLower(name); p.realms[domain] == "" {
			p.realms[domain] = value
		}
	}
}

func (p *configParser) libdefault(name, value string) {
	switch name {
	case "default_realm":
		p.defaultRealm = value
	case "dns_lookup_kdc":
		switch strings.ToLower(value) {
		case "false", "no", "n", "f", "0", "off", "nil":
			p.lookupKDC = false
		}
	case "permitted_enctypes":
		p.permitted = keyTypes(value)
	case "default_tkt_enctypes":
		p.ticketTypes = keyTypes(value)
	case "default_tgs_enctypes":
		p.serviceTypes = keyTypes(value)
	}
}

// complete sets the types of keys that the files leave open.
func (c *config) complete() error {
	if c.permitted == nil {
		c.permitted = allKeyTypes
	}
	c.ticketTypes = permitted(c.ticketTypes, c.permitted)
	c.serviceTypes = permitted(c.serviceTypes, c.permitted)
	if len(c.ticketTypes) == 0 || len(c.serviceTypes) == 0 {
		return fmt.Errorf("%w: krb5.conf permits no AES, and this package uses nothing else: add an AES type to permitted_enctypes, default_tkt_enctypes and default_tgs_enctypes", sasl.ErrConfig)
	}
	return nil
}

// realmOf returns the realm of a host by domain_realm; "" = not stated.
func (c *config) realmOf(host string) string {
	host = strings.ToLower(host)
	if realm := c.realms[host]; realm != "" {
		return realm
	}
	for _, rest, found := strings.Cut(host, "."); found; _, rest, found = strings.Cut(rest, ".") {
		for _, domain := range []string{"." + rest, rest} {
			if realm := c.realms[domain]; realm != "" {
				return realm
			}
		}
	}
	return ""
}
