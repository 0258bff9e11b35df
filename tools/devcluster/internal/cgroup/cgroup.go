// Package cgroup keeps all processes of a real node in one cgroup, so that every one of them is found when the node is
// taken down: containers and their shims outlive what started them, and are known by nothing else.
//
//	group := cgroup.Group{Root: cgroup.SystemRoot, Name: "devcluster-demo"}
//	group.Create(); group.Add(pid); ...; group.Remove(ctx)
//
// It works with cgroup v1, where a group is a folder in each hierarchy, and with v2, which has one hierarchy.
package cgroup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// SystemRoot is where the kernel's hierarchies are mounted.
const SystemRoot = "/sys/fs/cgroup"

// ownLeaf holds the processes that were added. They may not be in the group itself, where the kubelet makes groups for
// pods: v2 allows processes in leaves only.
const ownLeaf = "runtime"

// Group is one group in every hierarchy.
type Group struct {
	Root string
	Name string
}

// Create makes the group, and the leaf for what is added.
func (g Group) Create() error {
	hierarchies, err := g.hierarchies()
	if err != nil {
		return err
	}
	for _, hierarchy := range hierarchies {
		for _, dir := range []string{filepath.Join(hierarchy, g.Name), filepath.Join(hierarchy, g.Name, ownLeaf)} {
			if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
				return err
			}
			if err := inheritCPUs(dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// Add moves a process, and so all that it will start, into the group.
func (g Group) Add(pid int) error {
	hierarchies, err := g.hierarchies()
	if err != nil {
		return err
	}
	for _, hierarchy := range hierarchies {
		procs := filepath.Join(hierarchy, g.Name, ownLeaf, "cgroup.procs")
		if err := os.WriteFile(procs, []byte(strconv.Itoa(pid)), 0); err != nil {
			return fmt.Errorf("moving process %d into its cgroup: %w", pid, err)
		}
	}
	return nil
}

// Remove kills whatever is left in the group and deletes it. A group that is not there is fine.
func (g Group) Remove(ctx context.Context) error {
	hierarchies, err := g.hierarchies()
	if err != nil {
		return err
	}
	for {
		pids, err := g.pids(hierarchies)
		if err != nil {
			return err
		}
		for _, pid := range pids {
			// One that has ended in the meantime is what is wanted.
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		left := g.removeFolders(hierarchies)
		if left == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("processes %v do not end: %w", pids, left)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// pids lists the processes of the group and of the groups below.
func (g Group) pids(hierarchies []string) ([]int, error) {
	seen := map[int]bool{}
	for _, dir := range g.folders(hierarchies) {
		text, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
		if err != nil && !gone(err) {
			return nil, err
		}
		for _, field := range strings.Fields(string(text)) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				return nil, err
			}
			// 0 is a process of another pid namespace, which is none of ours.
			seen[pid] = pid > 0
		}
	}
	var pids []int
	for pid, ours := range seen {
		if ours {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids, nil
}

// folders lists the group's folders, parents before children.
func (g Group) folders(hierarchies []string) []string {
	var dirs []string
	for _, hierarchy := range hierarchies {
		// What vanishes meanwhile is skipped.
		_ = filepath.WalkDir(filepath.Join(hierarchy, g.Name), func(path string, entry os.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				dirs = append(dirs, path)
			}
			return nil
		})
	}
	return dirs
}

// removeFolders deletes the folders from the leaves up; the error is that of one that is still in use.
func (g Group) removeFolders(hierarchies []string) error {
	var errs []error
	for _, dir := range slices.Backward(g.folders(hierarchies)) {
		if err := os.Remove(dir); err != nil && !gone(err) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// hierarchies lists the mount points: the root itself with v2, one folder for each with v1.
func (g Group) hierarchies() ([]string, error) {
	if _, err := os.Stat(filepath.Join(g.Root, "cgroup.procs")); err == nil {
		return []string{g.Root}, nil
	}
	entries, err := os.ReadDir(g.Root)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, entry := range entries {
		dir := filepath.Join(g.Root, entry.Name())
		// Links are second names, such as cpu for cpu,cpuacct.
		if !entry.IsDir() {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, "cgroup.procs")); err == nil {
			found = append(found, dir)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no cgroup hierarchy in %s", g.Root)
	}
	return found, nil
}

// inheritCPUs gives a new group of the v1 cpuset hierarchy what its parent has; it would take no process without.
func inheritCPUs(dir string) error {
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		own := filepath.Join(dir, file)
		if text, err := os.ReadFile(own); err != nil || strings.TrimSpace(string(text)) != "" {
			continue
		}
		parents, err := os.ReadFile(filepath.Join(filepath.Dir(dir), file))
		if err != nil {
			continue // v2, where nothing need be inherited by hand
		}
		if err := os.WriteFile(own, parents, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func gone(err error) bool {
	return errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ENODEV)
}
