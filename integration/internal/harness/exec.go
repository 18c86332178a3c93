package harness

import (
	"context"
	"fmt"
	"io"
	"path"

	"github.com/testcontainers/testcontainers-go/exec"
)

// runIn copies a program into a container that runs, runs it there, and returns all that it printed.
func runIn(ctx context.Context, container, program string, env, args []string) (code int, output string, err error) {
	started.Lock()
	defer started.Unlock()
	for _, ctr := range started.containers {
		if ctr.name != container {
			continue
		}
		inside := path.Join("/usr/local/bin", path.Base(program))
		if err := ctr.CopyFileToContainer(ctx, program, inside, 0o755); err != nil {
			return 0, "", err
		}
		code, r, err := ctr.Exec(ctx, append([]string{inside}, args...), exec.Multiplexed(), exec.WithEnv(env))
		if err != nil {
			return 0, "", err
		}
		text, err := io.ReadAll(r)
		return code, string(text), err
	}
	return 0, "", fmt.Errorf("no container %s", container)
}
