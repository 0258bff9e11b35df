package build

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"korder.dev/devcluster/internal/console"
	"korder.dev/devcluster/internal/filelock"
)

// Builder compiles into the cache. Its fields are set once, before use.
type Builder struct {
	Cache   string // see package layout
	Source  string // folder that holds the modules kubebox, kwok, nodebox and coredns
	Console *console.Console
}

// flags are the same for every build on purpose: another -trimpath or CGO_ENABLED would compile
// all of Kubernetes a second time into the build cache.
var flags = []string{"-trimpath", "-buildvcs=false"}

// target is one program to build.
type target struct {
	name    string // of the file in the binary folder
	what    string // for people
	module  string // folder of the Go module
	pkg     string
	ldflags string
	// finish adds what the program needs beside it; may be nil.
	finish func(ctx context.Context, binDir string) error
}

// BinDir returns the folder of a version's binaries.
func (b *Builder) BinDir(version Version) string {
	return filepath.Join(b.Cache, "bin", string(version))
}

// Build makes what is missing or out of date, and returns the binary folder. When nothing is, it
// only reads the modules' few source files. With a real node, its programs are among them.
func (b *Builder) Build(ctx context.Context, version Version, realNode bool) (string, error) {
	if realNode && version != PinnedVersion {
		return "", fmt.Errorf("a real node is there for Kubernetes %s only, not for %s", PinnedVersion, version)
	}
	binDir := b.BinDir(version)
	unlock, err := b.lock(ctx, version)
	if err != nil {
		return "", err
	}
	defer unlock()
	kubebox, err := b.kubeboxModule(ctx, version)
	if err != nil {
		return "", err
	}
	built := 0
	for _, t := range b.targets(version, kubebox, realNode) {
		fresh, err := b.buildTarget(ctx, t, binDir)
		if err != nil {
			return "", fmt.Errorf("building %s: %w", t.name, err)
		}
		if fresh {
			built++
		}
	}
	if built > 0 {
		b.Console.Step("built %d programs of Kubernetes %s in %s", built, version, binDir)
	}
	return binDir, nil
}

// lock makes the binary folder and keeps other builds of the version out of it.
func (b *Builder) lock(ctx context.Context, version Version) (unlock func(), err error) {
	if err := os.MkdirAll(b.BinDir(version), 0o755); err != nil {
		return nil, err
	}
	return filelock.Acquire(ctx, filepath.Join(b.BinDir(version), ".lock"), func() {
		b.Console.Step("waiting for another build of Kubernetes %s", version)
	})
}

func (b *Builder) targets(version Version, kubeboxModule string, realNode bool) []target {
	helmLibraries := "helm.sh/helm/v3/pkg"
	targets := []target{
		{
			name: "kubebox", what: fmt.Sprintf("etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kubectl %s", version),
			module: kubeboxModule, pkg: ".",
			ldflags: "-s -w" + stampFlags("k8s.io/component-base/version", version) + stampFlags("k8s.io/client-go/pkg/version", version),
			finish:  linkKubectl,
		},
		{
			name: "helm", what: "helm " + HelmVersion,
			module: filepath.Join(b.Source, "kubebox"), pkg: "helm.sh/helm/v3/cmd/helm",
			ldflags: fmt.Sprintf("-s -w -X helm.sh/helm/v3/internal/version.version=v%[1]s"+
				" -X %[2]s/chartutil.k8sVersionMajor=1 -X %[2]s/chartutil.k8sVersionMinor=%[3]s"+
				" -X %[2]s/lint/rules.k8sVersionMajor=1 -X %[2]s/lint/rules.k8sVersionMinor=%[3]s", HelmVersion, helmLibraries, version.Minor()),
		},
		{
			name: "kwok", what: "kwok " + KwokVersion + " (simulated nodes)",
			module: filepath.Join(b.Source, "kwok"), pkg: "sigs.k8s.io/kwok/cmd/kwok",
			ldflags: "-s -w",
			finish:  b.writeKwokConfig,
		},
	}
	if realNode {
		targets = append(targets, b.nodeTargets(version)...)
	}
	return targets
}

// nodeTargets are what a real node takes beside Debian's packages.
func (b *Builder) nodeTargets(version Version) []target {
	return []target{
		{
			name: "nodebox", what: fmt.Sprintf("kubelet and kube-proxy %s", version),
			module: filepath.Join(b.Source, "nodebox"), pkg: ".",
			ldflags: "-s -w" + stampFlags("k8s.io/component-base/version", version) + stampFlags("k8s.io/client-go/pkg/version", version),
		},
		{
			name: "coredns", what: "CoreDNS " + CorednsVersion + " (names of Services)",
			module: filepath.Join(b.Source, "coredns"), pkg: ".",
			ldflags: "-s -w -X github.com/coredns/coredns/coremain.GitCommit=v" + CorednsVersion,
		},
	}
}

// stampFlags writes the version into one of the packages that hold it: the first is what /version
// answers and charts check, the second is in every client's user agent and so in audit logs.
func stampFlags(pkg string, version Version) string {
	return fmt.Sprintf(" -X %[1]s.gitVersion=v%[2]s -X %[1]s.gitMajor=1 -X %[1]s.gitMinor=%[3]s"+
		" -X %[1]s.gitCommit=release -X %[1]s.gitTreeState=clean -X %[1]s.buildDate=1970-01-01T00:00:00Z",
		pkg, version, version.Minor())
}

// Missing names the programs that Build would build.
func (b *Builder) Missing(version Version, realNode bool) ([]string, error) {
	module := b.kubeboxDir(version)
	var names []string
	for _, t := range b.targets(version, module, realNode) {
		stamp, err := stampOf(t)
		if err != nil && !os.IsNotExist(err) {
			return nil, err
		}
		if err != nil || !t.upToDate(b.BinDir(version), stamp) {
			names = append(names, t.name)
		}
	}
	return names, nil
}

func (t target) stampPath(binDir string) string {
	return filepath.Join(binDir, "."+t.name+".stamp")
}

func (t target) upToDate(binDir, stamp string) bool {
	old, err := os.ReadFile(t.stampPath(binDir))
	if err != nil || string(old) != stamp {
		return false
	}
	_, err = os.Stat(filepath.Join(binDir, t.name))
	return err == nil
}

// buildTarget builds one program unless its stamp says that the result is up to date.
func (b *Builder) buildTarget(ctx context.Context, t target, binDir string) (bool, error) {
	stamp, err := stampOf(t)
	if err != nil {
		return false, err
	}
	if t.upToDate(binDir, stamp) {
		return false, nil
	}
	output := filepath.Join(binDir, t.name)
	// Built beside and renamed: a running program keeps its file, and a stopped build leaves none.
	fresh := output + ".new"
	args := append([]string{"build", "-v"}, flags...)
	args = append(args, "-ldflags", t.ldflags, "-o", fresh, t.pkg)
	if err := b.runWithProgress(ctx, t, args); err != nil {
		return false, err
	}
	if err := os.Rename(fresh, output); err != nil {
		return false, err
	}
	if t.finish != nil {
		if err := t.finish(ctx, binDir); err != nil {
			return false, err
		}
	}
	return true, os.WriteFile(t.stampPath(binDir), []byte(stamp), 0o644)
}

// stampOf hashes everything that decides what comes out: flags and the module's own files, among
// them go.sum, which pins every dependency.
func stampOf(t target) (string, error) {
	hash := sha256.New()
	fmt.Fprintln(hash, t.name, t.pkg, flags, t.ldflags)
	var files []string
	err := filepath.WalkDir(t.module, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	sort.Strings(files)
	for _, path := range files {
		file, err := os.Open(path)
		if err != nil {
			return "", err
		}
		fmt.Fprintln(hash, strings.TrimPrefix(path, t.module))
		_, err = io.Copy(hash, file)
		file.Close()
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(hash.Sum(nil)) + "\n", nil
}

func linkKubectl(_ context.Context, binDir string) error {
	link := filepath.Join(binDir, "kubectl")
	if err := os.Remove(link); err != nil && !os.IsNotExist(err) {
		return err
	}
	return os.Symlink("kubebox", link)
}
