// Command release packs the modules of the workspace as the module proxy would
// for the tags of a release.
//
//	release -version v0.1.0 -tree . -out /tmp/release
//
// OUT/tree gets the files of the release commit: each go.mod requires its
// siblings at the version and has no replace line, and each go.sum has their
// hashes. OUT/proxy becomes a proxy for GOPROXY=file://OUT/proxy. The output is
// the tags, a module behind every module that it requires.
//
// A go.sum needs the hash of a sibling before the sibling has a tag. So the
// modules are packed in this order too, and the hashes are computed from the
// packed files. The proxy computes the same hashes if the tags name a commit with
// exactly these files.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	version := flag.String("version", "", "the `VERSION` of every module, for example v0.1.0")
	tree := flag.String("tree", ".", "the `FOLDER` of the clone, with all changes to its tracked files")
	out := flag.String("out", "", "an empty or absent `FOLDER` for the results")
	write := flag.Bool("write", false, "also write go.mod and go.sum of each module into the clone")
	flag.Parse()
	tags, err := release(*version, *tree, *out, *write)
	if err != nil {
		fmt.Fprintln(os.Stderr, "release: "+err.Error())
		os.Exit(1)
	}
	for _, tag := range tags {
		fmt.Println(tag)
	}
}
