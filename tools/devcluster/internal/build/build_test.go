package build

import (
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"korder.dev/devcluster/internal/console"
)

func TestParseVersion(t *testing.T) {
	good := map[string]Version{
		"": PinnedVersion, "1.35": PinnedVersion, "v1.35": PinnedVersion, "1.34": "1.34.4",
		"1.36.3": "1.36.3", "v1.34.4": "1.34.4", "1.37.0-rc.1": "1.37.0-rc.1",
	}
	for text, want := range good {
		if got, err := ParseVersion(text); err != nil || got != want {
			t.Errorf("%q: %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"1", "1.99", "2.0.0", "1.35.x", "latest", "1.35.4 ", "../1.35.4", "1.35.4/x"} {
		if got, err := ParseVersion(text); err == nil {
			t.Errorf("%q was accepted as %s", text, got)
		}
	}
}

func TestVersionParts(t *testing.T) {
	v := Version("1.34.4")
	if v.Minor() != "34" || v.Libraries() != "v0.34.4" {
		t.Errorf("%s, %s", v.Minor(), v.Libraries())
	}
}

const kubernetesGoMod = `module k8s.io/kubernetes

go 1.24.0

godebug default=go1.24

require (
	go.etcd.io/etcd/api/v3 v3.6.4
	go.etcd.io/etcd/client/v3 v3.6.4
	k8s.io/api v0.0.0
	k8s.io/kube-openapi v0.0.0-20250710124328-f3f2b991d03b
)

replace (
	k8s.io/api => ./staging/src/k8s.io/api
	k8s.io/cluster-bootstrap => ./staging/src/k8s.io/cluster-bootstrap
)
`

func TestComposeGoModPointsStagingModulesAtTheirReleases(t *testing.T) {
	got, err := composeGoMod("kubebox", "1.34.4", kubernetesGoMod)
	if err != nil {
		t.Fatal(err)
	}
	want := `module korder.dev/devcluster/kubebox

go 1.24.0

require (
	go.etcd.io/etcd/server/v3 v3.6.4
	k8s.io/kubernetes v1.34.4
)

replace (
	k8s.io/api => k8s.io/api v0.34.4
	k8s.io/cluster-bootstrap => k8s.io/cluster-bootstrap v0.34.4
)
`
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestComposeGoModRefusesAnotherShape(t *testing.T) {
	for _, cut := range []string{"=> ./staging", "etcd/client", "\ngo 1.24.0"} {
		if _, err := composeGoMod("kubebox", "1.34.4", strings.ReplaceAll(kubernetesGoMod, cut, "")); err == nil {
			t.Errorf("accepted without %q", cut)
		}
	}
}

// The constants of this package and the modules that are checked in must say the same.
func TestConstantsMatchTheCheckedInModules(t *testing.T) {
	expectations := map[string][]string{
		"kubebox/go.mod": {"k8s.io/kubernetes v" + string(PinnedVersion), "helm.sh/helm/v3 v" + HelmVersion,
			"k8s.io/api => k8s.io/api " + PinnedVersion.Libraries()},
		"nodebox/go.mod": {"k8s.io/kubernetes v" + string(PinnedVersion)},
		"coredns/go.mod": {"github.com/coredns/coredns v" + CorednsVersion},
		"kwok/go.mod":    {"sigs.k8s.io/kwok v" + KwokVersion},
	}
	for path, wanted := range expectations {
		text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(path)))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range wanted {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s has no %q", path, want)
			}
		}
	}
}

func TestAStampChangesWithSourcesAndFlagsOnly(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	stamp := func(tg target) string {
		s, err := stampOf(tg)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	write("main.go", "package main")
	write("go.sum", "sums")
	base := target{name: "x", module: dir, pkg: ".", ldflags: "-s"}
	first := stamp(base)
	if stamp(base) != first {
		t.Error("the stamp changed by itself")
	}
	flagged := base
	flagged.ldflags = "-s -w"
	if stamp(flagged) == first {
		t.Error("other flags, same stamp")
	}
	write("go.sum", "other sums")
	if stamp(base) == first {
		t.Error("other dependencies, same stamp")
	}
}

func TestMissingNamesWhatIsNotUpToDate(t *testing.T) {
	cache := t.TempDir()
	builder := &Builder{Cache: cache, Source: filepath.Join("..", ".."), Console: console.New(io.Discard)}
	binDir := builder.BinDir(PinnedVersion)
	if err := os.MkdirAll(binDir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tg := range builder.targets(PinnedVersion, builder.kubeboxDir(PinnedVersion), false) {
		if tg.name == "kwok" {
			continue
		}
		stamp, err := stampOf(tg)
		if err != nil {
			t.Fatal(err)
		}
		for path, text := range map[string]string{tg.stampPath(binDir): stamp, filepath.Join(binDir, tg.name): "program"} {
			if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Remove(filepath.Join(binDir, "helm")); err != nil {
		t.Fatal(err)
	}
	missing, err := builder.Missing(PinnedVersion, false)
	if err != nil || !reflect.DeepEqual(missing, []string{"helm", "kwok"}) {
		t.Errorf("missing %v, %v; want helm (file gone) and kwok (never built)", missing, err)
	}
	missing, err = builder.Missing(PinnedVersion, true)
	if err != nil || !reflect.DeepEqual(missing, []string{"helm", "kwok", "nodebox", "coredns"}) {
		t.Errorf("with a real node missing %v, %v", missing, err)
	}
	missing, err = builder.Missing("1.34.4", false)
	if err != nil || len(missing) != 3 {
		t.Errorf("of a version without module: %v, %v", missing, err)
	}
}

func TestProgressUnderstandsGoBuild(t *testing.T) {
	var p progress
	if got := p.summary(); !strings.Contains(got, "linking") {
		t.Errorf("at first: %q", got)
	}
	p.follow(strings.NewReader("go: downloading k8s.io/api v0.35.4\ngo: downloading x v1\n"))
	if got := p.summary(); got != "2 modules downloaded" {
		t.Errorf("while downloading: %q", got)
	}
	p.follow(strings.NewReader("k8s.io/api/core/v1\ncrypto/tls\nk8s.io/a-b.c_d\n# example.org/broken\n./main.go:3:1: syntax error\n"))
	if got := p.summary(); got != "3 packages compiled" {
		t.Errorf("while compiling: %q", got)
	}
	if got := p.complaints(); got != "# example.org/broken\n./main.go:3:1: syntax error" {
		t.Errorf("complaints: %q", got)
	}
}

func TestSchedulerSkewFlags(t *testing.T) {
	for _, c := range []struct {
		scheduler, server Version
		flags             int
	}{{"1.34.4", "1.35.4", 0}, {"1.37.2", "1.35.4", 1}, {"1.37.2", "1.37.2", 0}} {
		if got := SchedulerSkewFlags(c.scheduler, c.server); len(got) != c.flags {
			t.Errorf("scheduler %s, server %s: %v", c.scheduler, c.server, got)
		}
	}
}

// Both are linked from much of the same source; other versions of it would be compiled a second time.
func TestNodeboxNamesTheVersionsOfKubebox(t *testing.T) {
	line := regexp.MustCompile(`(?m)^\t?(?:require )?(\S+) (v\S+)(?: // indirect)?$`)
	versions := func(module string) map[string]string {
		text, err := os.ReadFile(filepath.Join("..", "..", module, "go.mod"))
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]string{}
		for _, match := range line.FindAllStringSubmatch(string(text), -1) {
			found[match[1]] = match[2]
		}
		return found
	}
	kubebox, common := versions("kubebox"), 0
	for name, version := range versions("nodebox") {
		if other, both := kubebox[name]; both {
			common++
			if other != version {
				t.Errorf("%s: nodebox has %s, kubebox %s", name, version, other)
			}
		}
	}
	if common < 50 {
		t.Errorf("only %d modules were found in both", common)
	}
}
