package filelock

import (
	"context"
	"path/filepath"
	"testing"
	"time"
)

func TestOnlyOneHoldsTheLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	release, err := Acquire(t.Context(), path, func() { t.Error("waited for a free lock") })
	if err != nil {
		t.Fatal(err)
	}
	waited := make(chan struct{})
	acquired := make(chan error, 1)
	go func() {
		again, err := Acquire(t.Context(), path, func() { close(waited) })
		if err == nil {
			again()
		}
		acquired <- err
	}()
	select {
	case <-waited:
	case err := <-acquired:
		t.Fatalf("acquired a lock that is held: %v", err)
	}
	release()
	select {
	case err := <-acquired:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("not acquired after the release")
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	release, err := Acquire(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Acquire(ctx, path, nil); err == nil {
		t.Error("acquired a lock that is held")
	}
}
