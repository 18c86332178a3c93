package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// differs are the fields of the example that differ from run to run.
var differs = []string{"address", "not_before", "not_after", "sha256", "tls_server_end_point", "tls_cipher", "duration_ms"}

// TestJSONExample compares docs/json.md with the object that the command prints: the
// example field by field and in the same order, and the table by the names.
func TestJSONExample(t *testing.T) {
	page, err := os.ReadFile("../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(page), "```json\n")
	block, _, _ = strings.Cut(block, "```")
	got := printedAfterWrongPassword(t)
	if a, b := fields([]byte(block)), fields(got); !slices.Equal(a, b) {
		t.Errorf("the example has the fields\n%v, printed were\n%v", a, b)
	}
	var example, printed map[string]any
	if err := json.Unmarshal([]byte(block), &example); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(got, &printed); err != nil {
		t.Fatal(err)
	}
	compare(t, example, printed)
	for name := range maps.Keys(printed) {
		if !strings.Contains(string(page), "\n| `"+name+"` | ") {
			t.Errorf("the table has no row for %s", name)
		}
	}
}

func compare(t *testing.T, example, printed map[string]any) {
	t.Helper()
	for name, want := range example {
		inner, isObject := want.(map[string]any)
		got, _ := printed[name].(map[string]any)
		switch {
		case isObject:
			compare(t, inner, got)
		case slices.Contains(differs, name):
			if reflect.TypeOf(want) != reflect.TypeOf(printed[name]) {
				t.Errorf("%s: %v, in the example %v", name, printed[name], want)
			}
		case !reflect.DeepEqual(want, printed[name]):
			t.Errorf("%s: %v, in the example %v", name, printed[name], want)
		}
	}
}

// fieldName finds the names of fields in a JSON text.
var fieldName = regexp.MustCompile(`"(\w+)":`)

// fields returns the names of an object's fields in their order, those of inner
// objects too.
func fields(text []byte) (names []string) {
	for _, match := range fieldName.FindAllSubmatch(text, -1) {
		names = append(names, string(match[1]))
	}
	return names
}

// printedAfterWrongPassword returns the object after a login with a wrong password to
// a server with three mechanisms.
func printedAfterWrongPassword(t *testing.T) []byte {
	t.Helper()
	pki, err := newDemoPKI()
	if err != nil {
		t.Fatal(err)
	}
	users, err := newDemoUsers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	auth := &sasl.Server{Key: users.key, Mechanisms: []sasl.ServerMechanism{
		sasl.PlainServer(users.check), sasl.SCRAMServer(sasl.SHA256, users.lookup), sasl.SCRAMPlusServer(sasl.SHA256, users.lookup),
	}}
	server, err := startDemo(pki, auth, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.close)
	dir := t.TempDir()
	if err := writePKI(dir, pki); err != nil {
		t.Fatal(err)
	}
	t.Setenv(passwordVariable, "wrong")
	var out bytes.Buffer
	cmd := authCommand()
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"--json", "--ca-file", filepath.Join(dir, "ca.pem"), "--connect", server.addresses["imaps"], "imaps://alice@" + demoHost})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	if err := cmd.ExecuteContext(t.Context()); sasl.ClassOf(err) != sasl.ErrAuthentication {
		t.Fatal(err)
	}
	return out.Bytes()
}
