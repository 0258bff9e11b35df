package instance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// External is a cluster that somebody else runs.
type External struct{ Kubeconfig string }

// FindExternal returns the cluster that the user wants used instead of one of ours, or nil.
func FindExternal() (*External, error) {
	if os.Getenv("KORDER_USE_CLUSTER") != "1" {
		return nil, nil
	}
	path := os.Getenv("KUBECONFIG")
	if path == "" {
		return nil, errors.New("KORDER_USE_CLUSTER=1 is set, but KUBECONFIG does not say which cluster")
	}
	return &External{Kubeconfig: path}, nil
}

// Check returns the version that the cluster answers with. It asks through kubectl, which knows
// all the ways in which a kubeconfig may give credentials.
func (e *External) Check(ctx context.Context, binDir string) (string, error) {
	kubectl := ProgramPath(binDir, "kubectl")
	if _, err := os.Stat(kubectl); err != nil {
		if kubectl, err = exec.LookPath("kubectl"); err != nil {
			return "", fmt.Errorf("no kubectl to ask the cluster with: run `devcluster build` or put one into PATH: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, kubectl, "get", "--raw=/version", "--request-timeout=10s")
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("the cluster of KUBECONFIG=%s does not answer: %w\n%s",
			e.Kubeconfig, err, strings.TrimSpace(complaint.String()))
	}
	var version struct{ GitVersion string }
	if err := json.Unmarshal(out, &version); err != nil || version.GitVersion == "" {
		return "", fmt.Errorf("the cluster of KUBECONFIG=%s answered /version with %q", e.Kubeconfig, out)
	}
	return strings.TrimPrefix(version.GitVersion, "v"), nil
}

// ProgramPath returns where a program is: in the binary folder, unless it is one that envtest
// binaries provide.
func ProgramPath(binDir, program string) string {
	if path, provided := providedProgram(program); provided {
		return path
	}
	return filepath.Join(binDir, program)
}

// providedProgram returns the path of a program out of the folder of envtest binaries that the
// user named, if any.
func providedProgram(program string) (path string, provided bool) {
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	switch program {
	case etcdName, apiServerName, "kubectl":
		return filepath.Join(assets, program), assets != ""
	}
	return "", false
}
