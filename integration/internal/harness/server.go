package harness

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/testcontainers/testcontainers-go"
)

// server says how a container is started, and how one sees that it serves.
type server struct {
	name  string // of this way to run the image
	image string // its folder in docker/
	cmd   []string
	files map[string][]byte // by their path in the container
	ports []string
	ask   func(ctx context.Context, at addresses) error
}

// addresses of published ports on this host, by the port in the container ("143/tcp").
type addresses map[string]string

var started struct {
	sync.Mutex
	containers []namedContainer
}

type namedContainer struct {
	*testcontainers.DockerContainer
	name string
}

func serverFor[T any](tb testing.TB, start func() (T, error)) T {
	tb.Helper()
	// The go command notes what is read while tests run: no cached result without this variable stands for a run with it.
	os.Getenv(requireDocker)
	s, err := start()
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// patience is how long a server may take until it serves. Idle, none takes more than two seconds; half a dozen that start
// at once on a busy machine take half a minute.
const patience = 3 * time.Minute

// start returns when the server serves. The container lives until Main removes it.
func (s server) start() (addresses, error) {
	image, err := Image(s.image)
	if err != nil {
		return nil, err
	}
	options := []testcontainers.ContainerCustomizer{
		testcontainers.WithCmd(s.cmd...),
		testcontainers.WithLabels(map[string]string{label: s.name}),
		testcontainers.WithExposedPorts(s.ports...),
		testcontainers.WithHostConfigModifier(s.publish),
		testcontainers.WithWaitStrategyAndDeadline(patience, serves{s}),
	}
	for path, content := range s.files {
		options = append(options, testcontainers.WithFiles(testcontainers.ContainerFile{
			Reader:            bytes.NewReader(content),
			ContainerFilePath: path,
			// Docker makes root the owner, and not every server reads its key as root.
			FileMode: 0o644,
		}))
	}
	// Not a test's context: the server outlives the test that asked for it first.
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	ctr, err := testcontainers.Run(ctx, image, options...)
	if ctr != nil {
		started.Lock()
		started.containers = append(started.containers, namedContainer{ctr, s.name})
		started.Unlock()
	}
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", s.name, err)
	}
	return s.published(ctx, ctr)
}

// publish keeps the ports on loopback: the servers' passwords are known to everyone.
func (s server) publish(host *container.HostConfig) {
	host.PortBindings = make(network.PortMap)
	for _, port := range s.ports {
		host.PortBindings[network.MustParsePort(port)] = []network.PortBinding{{HostIP: loopback}}
	}
}

var loopback = netip.MustParseAddr("127.0.0.1")

func (s server) published(ctx context.Context, ctr interface {
	MappedPort(context.Context, string) (network.Port, error)
}) (addresses, error) {
	at := make(addresses)
	for _, port := range s.ports {
		mapped, err := ctr.MappedPort(ctx, port)
		if err != nil {
			return nil, err
		}
		at[port] = net.JoinHostPort(loopback.String(), mapped.Port())
	}
	return at, nil
}

// stopServers removes the containers. Their logs go to SASLKIT_LOG_DIR, and to stderr if a test failed.
func stopServers(failed bool) {
	started.Lock()
	defer started.Unlock()
	var wg sync.WaitGroup
	for _, ctr := range started.containers {
		log := readLog(ctr)
		if failed {
			fmt.Fprintf(os.Stderr, "--- log of %s\n%s--- end of the log of %s\n", ctr.name, log, ctr.name)
		}
		if err := keepLog(ctr.name, log); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		wg.Go(func() {
			// They have nothing to save, and some take all of the default's ten seconds.
			if err := testcontainers.TerminateContainer(ctr, testcontainers.StopTimeout(0)); err != nil {
				fmt.Fprintf(os.Stderr, "stopping %s: %v\n", ctr.name, err)
			}
		})
	}
	wg.Wait()
	started.containers = nil
}

func keepLog(name string, log []byte) error {
	dir := os.Getenv("SASLKIT_LOG_DIR")
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name+".log"), log, 0o644)
}

func readLog(ctr namedContainer) []byte {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	r, err := ctr.Logs(ctx)
	if err != nil {
		return fmt.Appendf(nil, "no log: %v\n", err)
	}
	defer r.Close()
	log, err := io.ReadAll(r)
	if err != nil {
		log = fmt.Appendf(log, "the rest of the log: %v\n", err)
	}
	return log
}
