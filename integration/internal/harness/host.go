package harness

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

// prepareHost says where published ports are. testcontainers takes the default gateway's address wherever /.dockerenv
// exists. If the daemon's bridge is among our interfaces, we share its network, and they are on loopback.
func prepareHost() {
	const override = "TESTCONTAINERS_HOST_OVERRIDE"
	if _, set := os.LookupEnv(override); set || os.Getenv("DOCKER_HOST") != "" {
		return
	}
	if _, err := net.InterfaceByName("docker0"); err == nil {
		os.Setenv(override, "127.0.0.1")
	}
}

// prepareRyuk disables testcontainers' reaper where its image can neither be found nor pulled, and leaves its work to
// sweep. It comes before the first call into testcontainers, which reads its environment once.
func prepareRyuk() {
	const disabled = "TESTCONTAINERS_RYUK_DISABLED"
	if _, set := os.LookupEnv(disabled); set {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	docker, err := client.New(client.FromEnv)
	if err != nil {
		return
	}
	defer docker.Close()
	if _, err := docker.Ping(ctx, client.PingOptions{}); err != nil {
		return
	}
	if err := provideRyuk(ctx, docker); err != nil {
		os.Setenv(disabled, "true")
	}
}

func provideRyuk(ctx context.Context, docker *client.Client) error {
	//lint:ignore SA1019 no other exported name says which version of the image testcontainers wants
	image := testcontainers.ReaperDefaultImage
	if _, err := docker.ImageInspect(ctx, image); err == nil {
		return nil
	}
	pull, err := docker.ImagePull(ctx, image, client.ImagePullOptions{})
	if err != nil {
		return err
	}
	defer pull.Close()
	return pull.Wait(ctx)
}

func newClient(ctx context.Context) (*testcontainers.DockerClient, error) {
	docker, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := docker.Ping(ctx, client.PingOptions{}); err != nil {
		docker.Close()
		return nil, err
	}
	return docker, nil
}

const (
	label    = "saslkit.integration"
	sweepAge = 30 * time.Minute
)

// sweep removes what a killed run has left behind. The age spares the containers of a run beside this one.
func sweep(ctx context.Context, docker *testcontainers.DockerClient) error {
	list, err := docker.ContainerList(ctx, client.ContainerListOptions{
		All:     true,
		Filters: make(client.Filters).Add("label", label),
	})
	if err != nil {
		return err
	}
	for _, c := range list.Items {
		if time.Since(time.Unix(c.Created, 0)) < sweepAge {
			continue
		}
		if _, err := docker.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true}); err != nil {
			fmt.Fprintf(os.Stderr, "container %.12s of an earlier run stays: %v\n", c.ID, err)
		}
	}
	return nil
}
