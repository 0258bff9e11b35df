package instance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"korder.dev/devcluster/internal/console"
	"korder.dev/devcluster/internal/kubeapi"
)

// startTimeout is for a whole start on a busy machine; a quiet one needs a tenth.
const startTimeout = 90 * time.Second

// logLines is how much of a log is shown when its component fails.
const logLines = 20

// UpOptions say what to start.
type UpOptions struct {
	Name           string
	BinDir         string
	Port           int // the API server's, or 0 for any
	Audit          bool
	SchedulerLease bool
	// Scheduler is a program that runs in place of the control plane's own scheduler, with further
	// flags; empty means the own one.
	Scheduler []string
	Nodes     int
	// NodeSpec is of the simulated nodes; a real one takes the labels from it.
	NodeSpec kubeapi.NodeSpec
	// RealNode means a kubelet with containers in place of simulated nodes.
	RealNode bool
}

// Manager starts, changes and stops instances.
type Manager struct {
	Store   Store
	Console *console.Console
}

// Up starts an instance. When it is up already that is said, and nothing changes. When the start
// fails, whatever had been started is stopped again.
func (m *Manager) Up(ctx context.Context, options UpOptions) (*State, error) {
	if options.RealNode {
		if options.Nodes > 0 {
			return nil, errors.New("simulated nodes beside a real one are not supported")
		}
		if err := checkNodePrograms(); err != nil {
			return nil, err
		}
	}
	release, err := m.lock(ctx, options.Name)
	if err != nil {
		return nil, err
	}
	defer release()
	if old, err := m.Store.Load(options.Name); err == nil {
		running, err := m.checkRunning(old, options)
		if running || err != nil {
			return old, err
		}
	} else if !errors.Is(err, ErrNotUp) {
		return nil, err
	}
	state, err := m.prepare(ctx, options)
	if err != nil {
		return nil, err
	}
	if err := writeFiles(state, options); err != nil {
		return nil, errors.Join(err, m.stop(state))
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := m.start(ctx, state, options); err != nil {
		m.Console.Step("start failed, stopping what had been started; logs stay in %s", state.logDir())
		return nil, errors.Join(err, m.stop(state))
	}
	return state, nil
}

// checkRunning tells whether the recorded instance runs. One that is entirely gone (the machine
// was restarted) may be replaced; one that is half gone is somebody's, and an error.
func (m *Manager) checkRunning(old *State, options UpOptions) (bool, error) {
	dead := old.dead()
	switch {
	case len(dead) == len(old.Components):
		return false, nil
	case len(dead) > 0:
		return false, fmt.Errorf("instance %q is up, but not its %s: `devcluster restart %s --name %s` or `devcluster down --name %s`",
			old.Name, strings.Join(dead, ", "), dead[0], old.Name, old.Name)
	case options.RealNode != (old.Node != nil):
		return false, fmt.Errorf("instance %q is up with nodes of the other kind: `devcluster down --name %s` first", old.Name, old.Name)
	case options.Audit && old.AuditLog == "", options.Port != 0 && options.Port != old.Ports.APIServer, options.BinDir != old.BinDir:
		return false, fmt.Errorf("instance %q is up with another version, port or audit setting: `devcluster down --name %s` first",
			old.Name, old.Name)
	}
	m.Console.Step("instance %q is already up since %s; nothing changed (`devcluster down --name %s` first for a fresh one)",
		old.Name, old.StartedAt.Local().Format(time.DateTime), old.Name)
	return true, nil
}

// prepare clears the folder and finds free ports.
func (m *Manager) prepare(ctx context.Context, options UpOptions) (*State, error) {
	dir, err := m.Store.dir(options.Name)
	if err != nil {
		return nil, err
	}
	state := &State{
		Name: options.Name, Dir: dir, BinDir: options.BinDir,
		Kubeconfig: filepath.Join(dir, "kubeconfig"), StartedAt: time.Now().UTC().Truncate(time.Second),
	}
	if options.RealNode {
		state.Node = newNode(options.Name)
		// What a machine's crash or a killed command may have left.
		if err := m.stopNode(state); err != nil {
			return nil, err
		}
	}
	if err := clearDir(state); err != nil {
		return nil, err
	}
	if err := m.Store.reserve(ctx, state, options.Port); err != nil {
		return nil, err
	}
	state.Server = loopback("https", state.Ports.APIServer, "")
	state.ServiceCIDR = state.Slot.ServiceCIDR()
	if state.Node != nil {
		state.ServiceCIDR = nodeServiceCIDR
	}
	if options.Audit {
		state.AuditLog = filepath.Join(state.logDir(), "audit.log")
	}
	m.Console.Step("instance %q: API server %s, Service addresses %s", state.Name, state.Server, state.ServiceCIDR)
	return state, nil
}

// clearDir removes what an earlier instance of that name left, except its logs, of which one
// generation is kept.
func clearDir(s *State) error {
	previous := s.logDir() + ".previous"
	if _, err := os.Stat(s.logDir()); err == nil {
		if err := errors.Join(os.RemoveAll(previous), os.Rename(s.logDir(), previous)); err != nil {
			return err
		}
	}
	return errors.Join(os.RemoveAll(s.pkiDir()), os.RemoveAll(s.confDir()), os.RemoveAll(s.dataDir()))
}

func (m *Manager) start(ctx context.Context, state *State, options UpOptions) error {
	group := newGroup(m.Store, state)
	if state.Node != nil {
		if err := m.isolate(ctx, group); err != nil {
			return err
		}
	}
	plan := planComponents(state, options)
	// The API server keeps asking for etcd, so both start together. The others would give up.
	first, second := plan[:2], plan[2:]
	if err := group.start(first...); err != nil {
		return err
	}
	api, err := clientFor(state)
	if err != nil {
		return err
	}
	if err := group.await(ctx, apiServerName, api.Ready); err != nil {
		return err
	}
	if state.KubeVersion, err = api.Version(ctx); err != nil {
		return err
	}
	m.Console.Step("etcd and kube-apiserver %s are ready", state.KubeVersion)
	if err := group.start(second...); err != nil {
		return err
	}
	names := kubeapi.NodeNames(options.Nodes, nil)
	if err := api.CreateNodes(ctx, names, options.NodeSpec); err != nil {
		return fmt.Errorf("creating nodes: %w", err)
	}
	for _, c := range second {
		if err := group.await(ctx, c.Name, func(ctx context.Context) error { return probe(ctx, c.Health) }); err != nil {
			return err
		}
	}
	if state.Node != nil {
		m.Console.Step("kube-controller-manager and kube-scheduler are ready")
		if err := m.startNode(ctx, group, api, options.NodeSpec); err != nil {
			return err
		}
		return group.await(ctx, controllerManagerName, func(ctx context.Context) error { return podsAllowed(ctx, api) })
	}
	m.Console.Step("kube-controller-manager, kube-scheduler and kwok are ready")
	return m.awaitUsable(ctx, group, api, names, options.NodeSpec)
}

// awaitUsable waits until pods can be created, and run on the nodes.
func (m *Manager) awaitUsable(ctx context.Context, group *group, api *kubeapi.Client, nodes []string, spec kubeapi.NodeSpec) error {
	allowed := func(ctx context.Context) error { return podsAllowed(ctx, api) }
	if err := group.await(ctx, controllerManagerName, allowed); err != nil {
		return err
	}
	ready := func(ctx context.Context) error { return api.CheckNodes(ctx, nodes) }
	if err := group.await(ctx, kwokName, ready); err != nil {
		return err
	}
	if len(nodes) > 0 {
		m.Console.Step("%d simulated nodes are Ready (%s CPU, %s memory, %s pods each)",
			len(nodes), spec.CPU, spec.Memory, spec.Pods)
	}
	return group.check()
}

// stop ends all processes of the instance, in the reverse order of their start, and removes what
// is of no use without them. Logs stay.
func (m *Manager) stop(state *State) error {
	var errs []error
	if state.Node != nil {
		// At once and together: nothing of it is to be kept.
		errs = append(errs, m.stopNode(state))
	}
	for _, c := range slices.Backward(state.Components) {
		if !c.Alive() {
			continue
		}
		killed, err := c.Stop(stopGrace)
		if killed {
			m.Console.Step("%s did not end within %s and was killed", c.Name, stopGrace)
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return errors.Join(
		os.RemoveAll(state.dataDir()), os.RemoveAll(state.pkiDir()), os.RemoveAll(state.confDir()),
		os.RemoveAll(state.Kubeconfig), os.Remove(filepath.Join(state.Dir, "state.json")))
}

func (m *Manager) lock(ctx context.Context, name string) (release func(), err error) {
	return m.Store.lock(ctx, name, func() { m.Console.Step("waiting for another command on instance %q", name) })
}

// lockState locks an instance that is up and returns its state.
func (m *Manager) lockState(ctx context.Context, name string) (state *State, release func(), err error) {
	// Looked at first without the lock, which would make a folder for an instance that never was.
	if _, err := m.Store.Load(name); err != nil {
		return nil, nil, err
	}
	if release, err = m.lock(ctx, name); err != nil {
		return nil, nil, err
	}
	if state, err = m.Store.Load(name); err != nil {
		release()
		return nil, nil, err
	}
	return state, release, nil
}
