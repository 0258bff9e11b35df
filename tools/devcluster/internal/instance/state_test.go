package instance

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"korder.dev/devcluster/internal/process"
)

func newState(t *testing.T, store Store, name string) *State {
	t.Helper()
	dir, err := store.dir(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return &State{Name: name, Dir: dir, StartedAt: time.Unix(1700000000, 0).UTC()}
}

func TestStoreReturnsWhatWasSaved(t *testing.T) {
	store := Store{Dir: t.TempDir()}
	state := newState(t, store, "demo")
	state.Claim = Claim{Slot: 3, Ports: PortsFrom(7000)}
	state.AuditLog = "/somewhere/audit.log"
	state.Components = []Component{{
		Name: "etcd", Identity: process.Identity{Pid: 42, StartTicks: 77},
		Argv: []string{"etcd", "--name=x"}, Env: []string{"GOGC=400"}, Log: "/l", Health: "http://h",
	}}
	if err := store.Save(state); err != nil {
		t.Fatal(err)
	}
	loaded, err := store.Load("demo")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(loaded, state) {
		t.Errorf("loaded %+v\nwant   %+v", loaded, state)
	}
	listed, err := store.List()
	if err != nil || len(listed) != 1 || listed[0].Name != "demo" {
		t.Errorf("listed %v, %v", listed, err)
	}
}

func TestLoadTellsAnUnknownInstanceFromABrokenState(t *testing.T) {
	store := Store{Dir: t.TempDir()}
	if _, err := store.Load("demo"); !errors.Is(err, ErrNotUp) {
		t.Errorf("unknown instance: %v", err)
	}
	state := newState(t, store, "demo")
	if err := os.WriteFile(filepath.Join(state.Dir, "state.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Load("demo"); err == nil || errors.Is(err, ErrNotUp) {
		t.Errorf("broken state: %v", err)
	}
}

func TestInstanceNamesCannotLeaveTheFolder(t *testing.T) {
	store := Store{Dir: "/clusters"}
	for _, name := range []string{"", ".", "..", "a/b", "A", "a_b", "-a", "a-", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"} {
		if dir, err := store.dir(name); err == nil {
			t.Errorf("%q was accepted as %s", name, dir)
		}
	}
	for _, name := range []string{"a", "demo", "test-1", "1"} {
		if _, err := store.dir(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestReserveAvoidsOtherInstancesButNotItsOwnOldClaim(t *testing.T) {
	store := Store{Dir: t.TempDir()}
	first, second := newState(t, store, "first"), newState(t, store, "second")
	for _, state := range []*State{first, second} {
		if err := store.reserve(context.Background(), state, 0); err != nil {
			t.Fatal(err)
		}
	}
	if first.Slot == second.Slot {
		t.Errorf("both got slot %d", first.Slot)
	}
	slot := first.Slot
	if err := store.reserve(context.Background(), first, 0); err != nil || first.Slot != slot {
		t.Errorf("second reservation of the same instance: slot %d, %v; want %d", first.Slot, err, slot)
	}
}

func TestDeadNamesTheComponentsThatDoNotRun(t *testing.T) {
	state := State{Name: "x", Components: []Component{{Name: "etcd"}, {Name: "kwok"}}}
	if dead := state.dead(); !reflect.DeepEqual(dead, []string{"etcd", "kwok"}) {
		t.Errorf("dead: %v", dead)
	}
	if _, err := state.Component("kubelet"); err == nil {
		t.Error("an unknown component was found")
	}
}
