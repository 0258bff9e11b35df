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
	"korder.dev/devcluster/internal/process"
)

// startTimeout is for a whole start on a busy machine; a quiet one needs a tenth.
const startTimeout = 90 * time.Second

// logLines is how much of a log is shown when its component fails.
const logLines = 20

// UpOptions say what to start.
type UpOptions struct {
	Name           string
	KubeVersion    string
	BinDir         string
	Port           int // the API server's, or 0 for any
	Audit          bool
	SchedulerLease bool
	Nodes          int
	NodeSpec       kubeapi.NodeSpec
}

// Manager starts, changes and stops instances.
type Manager struct {
	Store   Store
	Console *console.Console
}

// Up starts an instance. When it is up already that is said, and nothing changes. When the start
// fails, whatever had been started is stopped again.
func (m *Manager) Up(ctx context.Context, options UpOptions) (*State, error) {
	release, err := m.lock(options.Name)
	if err != nil {
		return nil, err
	}
	defer release()
	if old, err := m.Store.Load(options.Name); err == nil {
		running, err := m.checkRunning(old)
		if running || err != nil {
			return old, err
		}
	} else if !errors.Is(err, ErrNotUp) {
		return nil, err
	}
	state, err := m.prepare(options)
	if err != nil {
		return nil, err
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
func (m *Manager) checkRunning(old *State) (bool, error) {
	dead := old.dead()
	switch {
	case len(dead) == len(old.Components):
		return false, nil
	case len(dead) > 0:
		return false, fmt.Errorf("instance %q is up, but not its %s: `devcluster restart %s --name %s` or `devcluster down --name %s`",
			old.Name, strings.Join(dead, ", "), dead[0], old.Name, old.Name)
	}
	m.Console.Step("instance %q is already up since %s; nothing changed (`devcluster down --name %s` first for a fresh one)",
		old.Name, old.StartedAt.Local().Format(time.DateTime), old.Name)
	return true, nil
}

// prepare makes the folder, finds free ports and writes all files.
func (m *Manager) prepare(options UpOptions) (*State, error) {
	dir, err := m.Store.dir(options.Name)
	if err != nil {
		return nil, err
	}
	state := &State{
		Name: options.Name, Dir: dir, KubeVersion: options.KubeVersion, BinDir: options.BinDir,
		Kubeconfig: filepath.Join(dir, "kubeconfig"), StartedAt: time.Now().UTC().Truncate(time.Second),
	}
	if err := clearDir(state); err != nil {
		return nil, err
	}
	if err := m.Store.reserve(state, options.Port); err != nil {
		return nil, err
	}
	state.Server = loopback("https", state.Ports.APIServer, "")
	state.ServiceCIDR = state.Slot.ServiceCIDR()
	if options.Audit {
		state.AuditLog = filepath.Join(state.logDir(), "audit.log")
	}
	m.Console.Step("instance %q: Kubernetes %s, API server %s, Service addresses %s",
		state.Name, state.KubeVersion, state.Server, state.ServiceCIDR)
	return state, writeFiles(state, options)
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
	plan := planComponents(state, options)
	// The API server keeps asking for etcd, so both start together. The others would give up.
	if err := group.start(plan[:2]...); err != nil {
		return err
	}
	api, err := clientFor(state)
	if err != nil {
		return err
	}
	if err := group.await(ctx, apiServerName, func(ctx context.Context) error { return api.Ready(ctx) }); err != nil {
		return err
	}
	m.Console.Step("etcd and kube-apiserver are ready")
	if err := group.start(plan[2:]...); err != nil {
		return err
	}
	names := kubeapi.NodeNames(options.Nodes, nil)
	if err := api.CreateNodes(ctx, names, options.NodeSpec); err != nil {
		return fmt.Errorf("creating nodes: %w", err)
	}
	for _, c := range plan[2:] {
		if err := group.await(ctx, c.Name, func(ctx context.Context) error { return probe(ctx, c.Health) }); err != nil {
			return err
		}
	}
	m.Console.Step("kube-controller-manager, kube-scheduler and kwok are ready")
	if err := group.await(ctx, controllerManagerName, func(ctx context.Context) error { return podsAllowed(ctx, api) }); err != nil {
		return fmt.Errorf("the default ServiceAccount, without which no pod can be created: %w", err)
	}
	if len(names) > 0 {
		if err := api.AwaitNodes(ctx, names); err != nil {
			return fmt.Errorf("%w\nlast lines of kwok:\n%s", err, process.Tail(filepath.Join(state.logDir(), "kwok.log"), logLines))
		}
		m.Console.Step("%d simulated nodes are Ready (%s CPU, %s memory, %s pods each)",
			len(names), options.NodeSpec.CPU, options.NodeSpec.Memory, options.NodeSpec.Pods)
	}
	return group.check()
}

// stop ends all processes of the instance, in the reverse order of their start, and removes what
// is of no use without them. Logs stay.
func (m *Manager) stop(state *State) error {
	var errs []error
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

func (m *Manager) lock(name string) (release func(), err error) {
	return m.Store.lock(name, func() { m.Console.Step("waiting for another command on instance %q", name) })
}
