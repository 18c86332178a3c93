package harness

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/saslkit/saslkit/docker"
	"github.com/testcontainers/testcontainers-go"
)

var images sync.Map // name -> func() (string, error)

// Image returns the reference of the image built from the folder docker/<name>, and builds it where it is missing. The
// tag is a hash of the folder and the base image, so a changed Dockerfile is another image.
func Image(name string) (string, error) {
	once, _ := images.LoadOrStore(name, sync.OnceValues(func() (string, error) { return provideImage(name) }))
	return once.(func() (string, error))()
}

func provideImage(name string) (string, error) {
	base, err := baseImage()
	if err != nil {
		return "", err
	}
	archive, err := archiveFolder(name)
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	fmt.Fprintf(hash, "%s\x00%s", base, archive)
	repository, tag := "saslkit-"+name, hex.EncodeToString(hash.Sum(nil))[:12]

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	provider, err := testcontainers.NewDockerProvider()
	if err != nil {
		return "", err
	}
	defer provider.Close()
	reference := repository + ":" + tag
	if _, err := provider.Client().ImageInspect(ctx, reference); err == nil {
		return reference, nil
	}
	var log bytes.Buffer
	request := testcontainers.ContainerRequest{FromDockerfile: testcontainers.FromDockerfile{
		ContextArchive: bytes.NewReader(archive),
		Repo:           repository,
		Tag:            tag,
		BuildArgs:      map[string]*string{"BASE": &base},
		BuildLogWriter: &log,
		// Without it the image gets labels of this process, is never found again, and goes with its first container.
		KeepImage: true,
	}}
	if _, err := provider.BuildImage(ctx, &request); err != nil {
		fmt.Fprintf(os.Stderr, "--- log of building docker/%s\n%s--- end of the log of building docker/%s\n", name, log.Bytes(), name)
		return "", fmt.Errorf("building docker/%s: %w", name, err)
	}
	return reference, nil
}

// archiveFolder packs a folder as Docker takes it. The embedded files carry no times and fixed modes, so the same folder
// always gives the same bytes.
func archiveFolder(name string) ([]byte, error) {
	folder, err := fs.Sub(docker.Files, name)
	if err != nil {
		return nil, err
	}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	if err := errors.Join(w.AddFS(folder), w.Close()); err != nil {
		return nil, fmt.Errorf("docker/%s: %w", name, err)
	}
	return archive.Bytes(), nil
}

var baseImage = sync.OnceValues(func() (string, error) {
	// The script would say the same, but the go command would not see that the result depends on it.
	if name := os.Getenv("SASLKIT_BASE_IMAGE"); name != "" {
		return name, nil
	}
	script, err := docker.Files.ReadFile("base.sh")
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", string(script), "base.sh")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("docker/base.sh: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
})
