// Package layout says where everything is on disk. Nothing is ever written into the work tree:
//
//	$KORDER_CACHE/bin/<version>/         binaries of one Kubernetes version
//	$KORDER_CACHE/modules/<name>/        generated Go modules of versions that are not checked in
//	$KORDER_CACHE/clusters/<name>/       one instance: state, keys, data, logs
package layout

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Cache returns ${KORDER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/korder}.
func Cache() (string, error) {
	if dir := os.Getenv("KORDER_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no place for the cache: set KORDER_CACHE or HOME: %w", err)
	}
	return filepath.Join(base, "korder"), nil
}

// Source returns the folder of this tool's sources, which holds the nested modules kubebox and
// kwok. scripts/devcluster passes it in DEVCLUSTER_SOURCE; without that it is looked for in the
// working directory and above.
func Source() (string, error) {
	if dir := os.Getenv("DEVCLUSTER_SOURCE"); dir != "" {
		return dir, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		for _, candidate := range []string{dir, filepath.Join(dir, "tools", "devcluster")} {
			if _, err := os.Stat(filepath.Join(candidate, "kubebox", "go.mod")); err == nil {
				return candidate, nil
			}
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("sources of devcluster not found: run inside the work tree or set DEVCLUSTER_SOURCE")
		}
	}
}
