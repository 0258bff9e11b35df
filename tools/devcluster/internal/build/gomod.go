package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Kubernetes' own go.mod replaces its libraries ("staging modules") by folders of its repository.
// Those replacements do not reach whoever depends on it, who must point each library at its
// published version instead.
var (
	stagingPattern = regexp.MustCompile(`(?m)^\s*(k8s\.io/[a-z0-9-]+) => \./staging/`)
	etcdPattern    = regexp.MustCompile(`(?m)^\s*go\.etcd\.io/etcd/client/v3 (v\S+)`)
	goPattern      = regexp.MustCompile(`(?m)^go (\S+)$`)
)

// composeGoMod writes the go.mod of one of our programs for a Kubernetes version, given that
// version's own go.mod. `go mod tidy` completes it, and drops etcd from a program without it.
func composeGoMod(program string, version Version, kubernetesGoMod string) (string, error) {
	etcd := etcdPattern.FindStringSubmatch(kubernetesGoMod)
	goLine := goPattern.FindStringSubmatch(kubernetesGoMod)
	staging := stagingPattern.FindAllStringSubmatch(kubernetesGoMod, -1)
	if etcd == nil || goLine == nil || len(staging) == 0 {
		return "", fmt.Errorf("go.mod of Kubernetes %s has another shape than expected", version)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "module korder.dev/devcluster/%s\n\ngo %s\n\n", program, goLine[1])
	fmt.Fprintf(&text, "require (\n\tgo.etcd.io/etcd/server/v3 %s\n\tk8s.io/kubernetes v%s\n)\n\n", etcd[1], version)
	text.WriteString("replace (\n")
	for _, match := range staging {
		fmt.Fprintf(&text, "\t%[1]s => %[1]s %[2]s\n", match[1], version.Libraries())
	}
	text.WriteString(")\n")
	return text.String(), nil
}

// moduleDir returns the folder of a program's generated module.
func (b *Builder) moduleDir(program string, version Version) string {
	return filepath.Join(b.Cache, "modules", program+"-"+string(version))
}

// kubeboxDir returns the folder of kubebox's module for the version.
func (b *Builder) kubeboxDir(version Version) string {
	if version == PinnedVersion {
		return filepath.Join(b.Source, "kubebox")
	}
	return b.moduleDir("kubebox", version)
}

// kubeboxModule returns the same folder after generating the module there unless it is checked in.
func (b *Builder) kubeboxModule(ctx context.Context, version Version) (string, error) {
	if version == PinnedVersion {
		return b.kubeboxDir(version), nil
	}
	program, err := os.ReadFile(filepath.Join(b.kubeboxDir(PinnedVersion), "main.go"))
	if err != nil {
		return "", err
	}
	return b.generatedModule(ctx, "kubebox", version, program)
}

// generatedModule returns the folder of a program's module, which it generates there unless that
// was done before from the same source.
func (b *Builder) generatedModule(ctx context.Context, name string, version Version, program []byte) (string, error) {
	dir := b.moduleDir(name, version)
	_, sumErr := os.Stat(filepath.Join(dir, "go.sum"))
	old, readErr := os.ReadFile(filepath.Join(dir, "main.go"))
	if sumErr == nil && readErr == nil && string(old) == string(program) {
		return dir, nil
	}
	b.Console.Step("generating the Go module of %s %s in %s", name, version, dir)
	if err := b.generateModule(ctx, name, version, dir, program); err != nil {
		return "", fmt.Errorf("generating the module of %s %s: %w", name, version, err)
	}
	return dir, nil
}

func (b *Builder) generateModule(ctx context.Context, name string, version Version, dir string, program []byte) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	// In an empty folder: `go mod download` of a named version needs no module, and must not see one.
	kubernetesGoMod, err := b.downloadGoMod(ctx, dir, "k8s.io/kubernetes@v"+string(version))
	if err != nil {
		return err
	}
	goMod, err := composeGoMod(name, version, kubernetesGoMod)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(goMod), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "main.go"), program, 0o644); err != nil {
		return err
	}
	// go.sum is written last, by tidy, and so marks the module as complete.
	_, err = b.goOutput(ctx, dir, "mod", "tidy")
	return err
}

func (b *Builder) downloadGoMod(ctx context.Context, dir, module string) (string, error) {
	// A failed download is described in the JSON, beside a failing exit.
	out, runErr := b.goOutput(ctx, dir, "mod", "download", "-json", module)
	var info struct{ GoMod, Error string }
	if err := json.Unmarshal(out, &info); err != nil {
		return "", errors.Join(runErr, fmt.Errorf("downloading %s: %w", module, err))
	}
	if info.Error != "" {
		return "", errors.New(info.Error)
	}
	if runErr != nil {
		return "", runErr
	}
	text, err := os.ReadFile(info.GoMod)
	return string(text), err
}
