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
	ctr, err := running(container)
	if err != nil {
		return 0, "", err
	}
	inside := path.Join("/usr/local/bin", path.Base(program))
	if err := ctr.CopyFileToContainer(ctx, program, inside, 0o755); err != nil {
		return 0, "", err
	}
	return execIn(ctx, container, env, append([]string{inside}, args...))
}

// execIn runs a program of a container that runs, and returns all that it printed.
func execIn(ctx context.Context, container string, env, args []string) (code int, output string, err error) {
	ctr, err := running(container)
	if err != nil {
		return 0, "", err
	}
	code, r, err := ctr.Exec(ctx, args, exec.Multiplexed(), exec.WithEnv(env))
	if err != nil {
		return 0, "", err
	}
	text, err := io.ReadAll(r)
	return code, string(text), err
}

// readFrom returns the content of a file in a container that runs.
func readFrom(ctx context.Context, container, path string) ([]byte, error) {
	ctr, err := running(container)
	if err != nil {
		return nil, err
	}
	r, err := ctr.CopyFileFromContainer(ctx, path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func running(name string) (namedContainer, error) {
	started.Lock()
	defer started.Unlock()
	for _, ctr := range started.containers {
		if ctr.name == name {
			return ctr, nil
		}
	}
	return namedContainer{}, fmt.Errorf("no container %s", name)
}
