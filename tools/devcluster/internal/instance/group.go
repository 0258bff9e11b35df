package instance

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"korder.dev/devcluster/internal/kubeapi"
	"korder.dev/devcluster/internal/process"
)

// stopGrace is how long a component may take to end by itself.
const stopGrace = 5 * time.Second

// group is the components that this run of devcluster started: it records them, and notices when
// one of them ends while it waits.
type group struct {
	store Store
	state *State
	exits map[string]<-chan error
}

func newGroup(store Store, state *State) *group {
	return &group{store: store, state: state, exits: map[string]<-chan error{}}
}

// start runs the components and records each at once, so that even an interrupted start can be
// taken down.
func (g *group) start(components ...Component) error {
	for _, c := range components {
		id, exited, err := process.Start(c.command())
		if err != nil {
			return fmt.Errorf("starting %s: %w", c.Name, err)
		}
		c.Identity = id
		if g.state.Node != nil {
			if err := g.state.Node.group().Add(id.Pid); err != nil {
				return errors.Join(err, id.Kill())
			}
		}
		g.exits[c.Name] = exited
		if recorded, err := g.state.Component(c.Name); err == nil {
			*recorded = c
		} else {
			g.state.Components = append(g.state.Components, c)
		}
		if err := g.store.Save(g.state); err != nil {
			return err
		}
	}
	return nil
}

// await polls until the probe succeeds. It fails at once when any component of the group ends, and
// with the last lines of the named one when the time is over.
func (g *group) await(ctx context.Context, component string, probe func(context.Context) error) error {
	err := poll(ctx, probe, g.check)
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted")
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: %w\n%s", component, err, g.tail(component))
	}
	return err
}

// poll calls the probe until it succeeds. The guard, if any, is asked after every failure and ends
// the wait with its error.
func poll(ctx context.Context, probe func(context.Context) error, guard func() error) error {
	for {
		err := probe(ctx)
		if err == nil {
			return nil
		}
		if guard != nil {
			if err := guard(); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w, last: %w", ctx.Err(), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// check fails when a component has ended.
func (g *group) check() error {
	for name, exited := range g.exits {
		select {
		case err := <-exited:
			return fmt.Errorf("%s ended: %w\n%s", name, err, g.tail(name))
		default:
		}
	}
	return nil
}

func (g *group) tail(component string) string {
	path := filepath.Join(g.state.logDir(), component+".log")
	return fmt.Sprintf("last lines of %s:\n%s", path, process.Tail(path, logLines))
}

// clientFor returns the admin's client of an instance.
func clientFor(state *State) (*kubeapi.Client, error) {
	authority, err := os.ReadFile(filepath.Join(state.pkiDir(), "ca.crt"))
	if err != nil {
		return nil, err
	}
	token, err := os.ReadFile(state.adminTokenPath())
	if err != nil {
		return nil, err
	}
	return kubeapi.NewClient(state.Server, authority, string(token))
}

// podsAllowed succeeds once pods can be created in the namespace default.
func podsAllowed(ctx context.Context, api *kubeapi.Client) error {
	return api.Do(ctx, http.MethodGet, "/api/v1/namespaces/default/serviceaccounts/default", nil, nil)
}

// probeClient does not verify: controller manager and scheduler sign for themselves, and the probe
// tells them nothing.
var probeClient = &http.Client{
	Timeout:   2 * time.Second,
	Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
}

// probe asks a component's health address, which needs no credentials.
func probe(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := probeClient.Do(request)
	if err != nil {
		return err
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", url, response.Status)
	}
	return nil
}
