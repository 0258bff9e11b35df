package instance

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func never(context.Context) error { return errors.New("not yet") }

func startedGroup(t *testing.T, script string) *group {
	t.Helper()
	store := Store{Dir: t.TempDir()}
	state := writtenState(t, UpOptions{})
	group := newGroup(store, state)
	err := group.start(Component{
		Name: "etcd", Argv: []string{"/bin/sh", "-c", script}, Log: filepath.Join(state.logDir(), "etcd.log"),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = state.Components[0].Kill() })
	return group
}

func TestAwaitFailsWithTheLogWhenAComponentEnds(t *testing.T) {
	group := startedGroup(t, "echo first; echo the reason; exit 3")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err := group.await(ctx, "kube-apiserver", never)
	if err == nil || !strings.Contains(err.Error(), "etcd ended: exit status 3") || !strings.Contains(err.Error(), "the reason") {
		t.Errorf("got %v", err)
	}
}

func TestAwaitFailsWithTheLogWhenTheTimeIsOver(t *testing.T) {
	group := startedGroup(t, "echo still thinking; exec sleep 60")
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	err := group.await(ctx, "etcd", never)
	if err == nil || !strings.Contains(err.Error(), "not yet") || !strings.Contains(err.Error(), "still thinking") {
		t.Errorf("got %v", err)
	}
}

func TestAwaitReportsAnInterruptBriefly(t *testing.T) {
	group := startedGroup(t, "exec sleep 60")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := group.await(ctx, "etcd", never); err == nil || err.Error() != "interrupted" {
		t.Errorf("got %v", err)
	}
}

func TestAStartedComponentIsRecordedAtOnce(t *testing.T) {
	group := startedGroup(t, "exec sleep 60")
	recorded, err := Store{Dir: filepath.Dir(group.state.Dir)}.Load("demo")
	if err != nil {
		t.Fatal(err)
	}
	if dead := recorded.dead(); len(recorded.Components) != 1 || len(dead) != 0 {
		t.Errorf("recorded %+v, dead %v", recorded.Components, dead)
	}
}
