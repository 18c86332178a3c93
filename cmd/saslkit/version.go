package main

import (
	"crypto/fips140"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// build is the information about this program. The exported fields are those of
// --json.
type build struct {
	Format   int    `json:"format"`
	Version  string `json:"version"`  // of the module; (devel) for a build from a clone
	Revision string `json:"revision"` // of the source; "" = not known
	Time     string `json:"time"`     // of the revision
	Modified bool   `json:"modified"` // the source differs from the revision
	Go       string `json:"go"`
	Platform string `json:"platform"`
	FIPS140  bool   `json:"fips_140"` // the module of Go for FIPS 140 is in use
}

func thisBuild() build {
	b := build{Format: jsonFormat, Version: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, FIPS140: fips140.Enabled()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			b.Revision = setting.Value
		case "vcs.time":
			b.Time = setting.Value
		case "vcs.modified":
			b.Modified = setting.Value == "true"
		}
	}
	return b
}

// String returns the text of saslkit --version.
func (b build) String() string {
	text := "saslkit " + b.Version
	if b.Revision != "" {
		text += ", revision " + b.Revision + " of " + b.Time
	}
	if b.Modified {
		text += ", modified"
	}
	text += fmt.Sprintf(", %s, %s", b.Go, b.Platform)
	if b.FIPS140 {
		text += ", FIPS 140"
	}
	return text
}

func versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version of this build",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(thisBuild())
			}
			fmt.Fprintln(cmd.OutOrStdout(), thisBuild())
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
