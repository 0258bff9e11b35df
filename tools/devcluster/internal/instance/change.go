package instance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"korder.dev/devcluster/internal/kubeapi"
)

// Down stops an instance. One that is not up is fine.
func (m *Manager) Down(ctx context.Context, name string) error {
	state, release, err := m.lockState(ctx, name)
	if errors.Is(err, ErrNotUp) {
		m.Console.Step("instance %q is not up", name)
		return nil
	}
	if err != nil {
		return err
	}
	defer release()
	if err := m.stop(state); err != nil {
		return err
	}
	m.Console.Step("instance %q is down; logs stay in %s", name, state.logDir())
	return nil
}

// DownAll stops every instance.
func (m *Manager) DownAll(ctx context.Context) error {
	states, err := m.Store.List()
	if err != nil {
		return err
	}
	if len(states) == 0 {
		m.Console.Step("no instance is up")
	}
	var errs []error
	for _, state := range states {
		errs = append(errs, m.Down(ctx, state.Name))
	}
	return errors.Join(errs...)
}

// RestartOptions say how a component goes away.
type RestartOptions struct {
	Kill  bool
	Pause time.Duration
}

// Restart ends one component, waits, starts it with the same command line and returns when it is
// healthy.
func (m *Manager) Restart(ctx context.Context, name, component string, options RestartOptions) error {
	state, release, err := m.lockState(ctx, name)
	if err != nil {
		return err
	}
	defer release()
	c, err := state.Component(component)
	if err != nil {
		return err
	}
	if component == namespacesName {
		return errors.New("everything of the instance lives in its namespaces; take it down instead")
	}
	if err := m.end(c, options.Kill); err != nil {
		return err
	}
	api, err := clientFor(state)
	if err != nil {
		return err
	}
	if component == kwokName {
		m.releaseNodes(ctx, api)
	}
	select {
	case <-time.After(options.Pause):
	case <-ctx.Done():
		return ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	group := newGroup(m.Store, state)
	if err := group.start(*c); err != nil {
		return err
	}
	if err := group.await(ctx, component, func(ctx context.Context) error { return healthOf(ctx, api, c) }); err != nil {
		return err
	}
	m.Console.Step("%s of instance %q runs again, pid %d", component, name, c.Pid)
	return nil
}

// releaseNodes deletes the leases that name a kwok which is gone as the holder of its nodes; the
// next one would wait until they expire.
func (m *Manager) releaseNodes(ctx context.Context, api *kubeapi.Client) {
	path := "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
	if err := api.Do(ctx, http.MethodDelete, path, nil, nil); err != nil {
		m.Console.Step("the nodes' leases could not be deleted, so pods may wait up to 40 s: %v", err)
	}
}

func (m *Manager) end(c *Component, kill bool) error {
	if !c.Alive() {
		m.Console.Step("%s was not running", c.Name)
		return nil
	}
	if kill {
		m.Console.Step("killing %s, pid %d", c.Name, c.Pid)
		return c.Kill()
	}
	m.Console.Step("stopping %s, pid %d", c.Name, c.Pid)
	_, err := c.Stop(stopGrace)
	return err
}

func healthOf(ctx context.Context, api *kubeapi.Client, c *Component) error {
	switch {
	case c.Name == apiServerName:
		return api.Ready(ctx)
	case c.Health == "":
		return nil
	}
	return probe(ctx, c.Health)
}

// AddNodes makes further simulated nodes and waits until they can take pods.
func (m *Manager) AddNodes(ctx context.Context, name string, count int, spec kubeapi.NodeSpec) error {
	if state, err := m.Store.Load(name); err == nil && state.Node != nil {
		return fmt.Errorf("instance %q has a real node and nobody to simulate others", name)
	}
	return m.withNodes(ctx, name, func(ctx context.Context, api *kubeapi.Client, nodes []kubeapi.Node) error {
		names := kubeapi.NodeNames(count, nodes)
		if err := api.CreateNodes(ctx, names, spec); err != nil {
			return fmt.Errorf("creating nodes: %w", err)
		}
		ready := func(ctx context.Context) error { return api.CheckNodes(ctx, names) }
		if err := poll(ctx, ready, nil); err != nil {
			return err
		}
		m.Console.Step("%d nodes are Ready: %s to %s", count, names[0], names[count-1])
		return nil
	})
}

// RemoveNodes deletes simulated nodes; the controller manager deletes their pods.
func (m *Manager) RemoveNodes(ctx context.Context, name string, names []string) error {
	return m.withNodes(ctx, name, func(ctx context.Context, api *kubeapi.Client, _ []kubeapi.Node) error {
		if err := api.DeleteNodes(ctx, names); err != nil {
			return err
		}
		m.Console.Step("%d nodes removed", len(names))
		return nil
	})
}

func (m *Manager) withNodes(ctx context.Context, name string, act func(context.Context, *kubeapi.Client, []kubeapi.Node) error) error {
	state, release, err := m.lockState(ctx, name)
	if err != nil {
		return err
	}
	defer release()
	api, err := clientFor(state)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	nodes, err := api.Nodes(ctx)
	if err != nil {
		return err
	}
	return act(ctx, api, nodes)
}
