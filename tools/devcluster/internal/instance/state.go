// Package instance runs control planes: each instance has a name, a folder, ports and a range of
// Service addresses of its own, so that several run side by side.
package instance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"korder.dev/devcluster/internal/filelock"
	"korder.dev/devcluster/internal/process"
)

// State is what is recorded about an instance that is up, in <dir>/state.json.
type State struct {
	Name        string    `json:"name"`
	Dir         string    `json:"dir"`
	KubeVersion string    `json:"kubeVersion"`
	BinDir      string    `json:"binDir"`
	Server      string    `json:"server"`
	Kubeconfig  string    `json:"kubeconfig"`
	ServiceCIDR string    `json:"serviceCIDR"`
	AuditLog    string    `json:"auditLog,omitempty"`
	Node        *Node     `json:"node,omitempty"` // the real node, if there is one
	StartedAt   time.Time `json:"startedAt"`
	Claim
	Components []Component `json:"components"`
}

// Component is one process of an instance, with all it takes to start it again.
type Component struct {
	Name string `json:"name"`
	process.Identity
	Argv   []string `json:"argv"`
	Env    []string `json:"env,omitempty"`
	Log    string   `json:"log"`
	Health string   `json:"health"` // URL that answers 200 when the component works; empty: it works while it runs
}

func (c *Component) command() process.Command {
	return process.Command{Argv: c.Argv, Env: c.Env, LogPath: c.Log}
}

// Component finds a component by name.
func (s *State) Component(name string) (*Component, error) {
	var names []string
	for i := range s.Components {
		if s.Components[i].Name == name {
			return &s.Components[i], nil
		}
		names = append(names, s.Components[i].Name)
	}
	return nil, fmt.Errorf("instance %q has no component %q; it has %v", s.Name, name, names)
}

// dead returns the names of the components that do not run.
func (s *State) dead() []string {
	var names []string
	for _, c := range s.Components {
		if !c.Alive() {
			names = append(names, c.Name)
		}
	}
	return names
}

func (s *State) pkiDir() string  { return filepath.Join(s.Dir, "pki") }
func (s *State) confDir() string { return filepath.Join(s.Dir, "conf") }
func (s *State) logDir() string  { return filepath.Join(s.Dir, "log") }
func (s *State) dataDir() string { return filepath.Join(s.Dir, "etcd") }

func (s *State) adminTokenPath() string { return filepath.Join(s.pkiDir(), "admin.token") }

// ErrNotUp is returned for an instance of which nothing is recorded.
var ErrNotUp = errors.New("is not up")

var namePattern = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$`)

// Store keeps the states below one folder.
type Store struct{ Dir string }

// dir returns the folder of an instance.
func (s Store) dir(name string) (string, error) {
	if !namePattern.MatchString(name) {
		return "", fmt.Errorf("instance name %q: want lower-case letters, digits and dashes, at most 40", name)
	}
	return filepath.Join(s.Dir, name), nil
}

// Load returns the recorded state, or ErrNotUp.
func (s Store) Load(name string) (*State, error) {
	dir, err := s.dir(name)
	if err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(filepath.Join(dir, "state.json"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("instance %q %w", name, ErrNotUp)
	}
	if err != nil {
		return nil, err
	}
	var state State
	if err := json.Unmarshal(raw, &state); err != nil {
		return nil, fmt.Errorf("state of instance %q: %w", name, err)
	}
	return &state, nil
}

// Save records the state. A reader sees the old or the new one, never half of it.
func (s Store) Save(state *State) error {
	raw, err := json.MarshalIndent(state, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(state.Dir, "state.json")
	if err := os.WriteFile(path+".new", append(raw, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// List returns the states of all instances that are up, by name.
func (s Store) List() ([]*State, error) {
	entries, err := os.ReadDir(s.Dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var states []*State
	for _, entry := range entries {
		if !entry.IsDir() || !namePattern.MatchString(entry.Name()) {
			continue
		}
		state, err := s.Load(entry.Name())
		if errors.Is(err, ErrNotUp) {
			continue
		}
		if err != nil {
			return nil, err
		}
		states = append(states, state)
	}
	return states, nil
}

// lock lets only one command at a time change the instance.
func (s Store) lock(ctx context.Context, name string, waiting func()) (release func(), err error) {
	dir, err := s.dir(name)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return filelock.Acquire(ctx, filepath.Join(dir, ".lock"), waiting)
}

// reserve gives the new instance a claim of its own and records it.
func (s Store) reserve(ctx context.Context, state *State, wantedPort int) error {
	release, err := filelock.Acquire(ctx, filepath.Join(s.Dir, ".lock"), nil)
	if err != nil {
		return err
	}
	defer release()
	others, err := s.List()
	if err != nil {
		return err
	}
	var taken []Claim
	for _, other := range others {
		if other.Name != state.Name {
			taken = append(taken, other.Claim)
		}
	}
	if state.Claim, err = Allocate(taken, wantedPort, portFree); err != nil {
		return err
	}
	return s.Save(state)
}
