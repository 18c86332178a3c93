package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The tree of the tests: b requires a and is first in go.work, and a/nested is a
// module of its own. a/nested has a licence of its own, the others have not.
var files = map[string]string{
	"LICENSE":           "the licence\n",
	"go.work":           "go 1.26.0\n\nuse (\n\t./b\n\t./a\n\t./a/nested\n)\n",
	"a/go.mod":          "module " + prefix + "a\n\ngo 1.26.0\n",
	"a/a.go":            "package a\n",
	"a/nested/go.mod":   "module " + prefix + "a/nested\n\ngo 1.26.0\n",
	"a/nested/LICENSE":  "another licence\n",
	"a/nested/n.go":     "package nested\n",
	"b/go.mod":          "module " + prefix + "b\n\ngo 1.26.0\n\nrequire " + prefix + "a v0.0.0 // indirect\n\nreplace " + prefix + "a => ../a\n",
	"b/go.sum":          "",
	"b/testdata/x.json": "{}\n",
}

const prefix = "github.com/example/tree/"

// clone makes a repository of files and an untracked file, with changes to them.
func clone(t *testing.T, changes map[string]string) (tree string) {
	t.Helper()
	tree = t.TempDir()
	write := func(name, text string) {
		name = filepath.Join(tree, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range files {
		write(name, text)
	}
	for name, text := range changes {
		write(name, text)
	}
	git(t, tree, "init", "-q")
	git(t, tree, "add", "-A")
	write("a/untracked.go", "package a\n")
	return tree
}

func git(t *testing.T, tree string, arguments ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "git", append([]string{"-C", tree, "-c", "user.name=x", "-c", "user.email=x@example.org"}, arguments...)...)
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", arguments, err, output)
	}
}

// TestHashes: the go command computes the same hashes from the tags of the release
// commit as the release did before the commit.
func TestHashes(t *testing.T) {
	tree, out := clone(t, nil), filepath.Join(t.TempDir(), "out")
	tags, err := release("v0.1.0", tree, out, true)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a/v0.1.0", "a/nested/v0.1.0", "b/v0.1.0"}; !slices.Equal(tags, want) {
		t.Errorf("the tags are %q, not %q", tags, want)
	}
	git(t, tree, "commit", "-qam", "release")
	for _, tag := range tags {
		git(t, tree, "tag", tag)
	}
	fromTags := download(t, "direct", tree)
	if fromProxy := download(t, "file://"+filepath.Join(out, "proxy"), tree); !slices.Equal(fromProxy, fromTags) {
		t.Errorf("the proxy has\n%s\nthe tags have\n%s", fromProxy, fromTags)
	}
	sums, err := os.ReadFile(filepath.Join(tree, "b/go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(sums), strings.Join(fromTags[:2], "\n")+"\n"; got != want {
		t.Errorf("go.sum is\n%s\nnot\n%s", got, want)
	}
	mod, err := os.ReadFile(filepath.Join(tree, "b/go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "module " + prefix + "b\n\ngo 1.26.0\n\nrequire " + prefix + "a v0.1.0 // indirect\n"; string(mod) != want {
		t.Errorf("go.mod is\n%s\nnot\n%s", mod, want)
	}
}

// download asks the go command for the lines of go.sum of the three modules.
func download(t *testing.T, proxy, tree string) (sums []string) {
	t.Helper()
	for _, name := range []string{"a", "a/nested", "b"} {
		command := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", prefix+name+"@v0.1.0")
		command.Dir = t.TempDir()
		command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-modcacherw", "GONOSUMDB="+prefix+"*", "GOMODCACHE="+t.TempDir(), "GOPROXY="+proxy,
			"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=url."+tree+".insteadOf", "GIT_CONFIG_VALUE_0=https://github.com/example/tree")
		output, err := command.Output()
		if err != nil {
			t.Fatalf("%s from %s: %v\n%s", name, proxy, err, output)
		}
		var found struct{ Sum, GoModSum string }
		if err := json.Unmarshal(output, &found); err != nil {
			t.Fatal(err)
		}
		sums = append(sums, prefix+name+" v0.1.0 "+found.Sum, prefix+name+" v0.1.0/go.mod "+found.GoModSum)
	}
	return sums
}

// TestRefusals: each error of release names the mistake.
func TestRefusals(t *testing.T) {
	for _, test := range []struct {
		version string
		changes map[string]string
		want    string
	}{
		{"0.1.0", nil, "the version has to be as in v0.1.0"},
		{"v2.0.0", nil, "the version has to be as in v0.1.0"},
		{"v0.1.0", map[string]string{"a/go.mod": files["a/go.mod"] + "\nreplace example.org/x => ../x\n"}, "a replaces example.org/x"},
		{"v0.1.0", map[string]string{"a/go.mod": files["a/go.mod"] + "\nrequire " + prefix + "b v0.0.0\n"}, "2 modules require one another in a circle"},
		{"v0.1.0", map[string]string{"b/go.sum": "x\n"}, `the line "x\n" is not a path`},
	} {
		tree := clone(t, test.changes)
		if _, err := release(test.version, tree, filepath.Join(t.TempDir(), "out"), false); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s %v: %v, not %q", test.version, test.changes, err, test.want)
		}
	}
	tree := clone(t, nil)
	if _, err := release("v0.1.0", tree, tree, false); err == nil || !strings.Contains(err.Error(), "is not empty") {
		t.Errorf("a folder with files: %v", err)
	}
}
