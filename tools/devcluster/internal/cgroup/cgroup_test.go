package cgroup

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// versionOne is a folder that looks like the hierarchies of cgroup v1: two, and a link to one of them.
func versionOne(t *testing.T) Group {
	root := t.TempDir()
	write(t, filepath.Join(root, "cpuset", "cgroup.procs"), "")
	write(t, filepath.Join(root, "cpuset", "cpuset.cpus"), "0-1\n")
	write(t, filepath.Join(root, "cpuset", "cpuset.mems"), "0\n")
	write(t, filepath.Join(root, "memory", "cgroup.procs"), "")
	write(t, filepath.Join(root, "empty", "x"), "")
	if err := os.Symlink("memory", filepath.Join(root, "again")); err != nil {
		t.Fatal(err)
	}
	return Group{Root: root, Name: "test"}
}

func TestHierarchiesOfBothVersions(t *testing.T) {
	one := versionOne(t)
	got, err := one.hierarchies()
	want := []string{filepath.Join(one.Root, "cpuset"), filepath.Join(one.Root, "memory")}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("v1: %v, %v; want %v", got, err, want)
	}
	two := Group{Root: t.TempDir(), Name: "test"}
	write(t, filepath.Join(two.Root, "cgroup.procs"), "")
	if got, err := two.hierarchies(); err != nil || !reflect.DeepEqual(got, []string{two.Root}) {
		t.Errorf("v2: %v, %v", got, err)
	}
	none := Group{Root: t.TempDir(), Name: "test"}
	if err := none.Create(); err == nil {
		t.Error("a group was made where there are no cgroups")
	}
}

func TestANewGroupMayUseTheProcessorsOfItsParent(t *testing.T) {
	g := versionOne(t)
	// The kernel makes the files of a new group; here they are made beforehand.
	for _, dir := range []string{"test", "test/runtime"} {
		write(t, filepath.Join(g.Root, "cpuset", dir, "cpuset.cpus"), "\n")
		write(t, filepath.Join(g.Root, "cpuset", dir, "cpuset.mems"), "\n")
	}
	for range 2 { // making it again changes nothing
		if err := g.Create(); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(t, filepath.Join(g.Root, "cpuset", "test", "runtime", "cpuset.cpus")); got != "0-1\n" {
		t.Errorf("cpuset.cpus is %q", got)
	}
}

func TestRemoveEndsTheProcessesOfAllGroupsBelow(t *testing.T) {
	g := versionOne(t)
	if err := g.Create(); err != nil {
		t.Fatal(err)
	}
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	procs := filepath.Join(g.Root, "memory", "test", "kubepods", "pod1", "cgroup.procs")
	write(t, procs, "0\n"+strconv.Itoa(child.Process.Pid)+"\n")
	// A folder with a file cannot be removed: as with the kernel's, the group is in use as long as that is there.
	ended := make(chan error, 1)
	go func() {
		ended <- child.Wait()
		os.Remove(procs)
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := g.Remove(ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("the process ended with %v, want killed", err)
	}
	for _, hierarchy := range []string{"cpuset", "memory"} {
		if _, err := os.Stat(filepath.Join(g.Root, hierarchy, "test")); !os.IsNotExist(err) {
			t.Errorf("the group is still there in %s: %v", hierarchy, err)
		}
	}
	if err := g.Remove(ctx); err != nil {
		t.Errorf("removing what is gone: %v", err)
	}
}

func TestRemoveGivesUpInTheEnd(t *testing.T) {
	g := versionOne(t)
	write(t, filepath.Join(g.Root, "memory", "test", "busy"), "")
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if err := g.Remove(ctx); err == nil {
		t.Error("a group that stays was reported as removed")
	}
}
