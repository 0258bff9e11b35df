package instance

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"korder.dev/devcluster/internal/kubeapi"
	"korder.dev/devcluster/internal/process"
)

// realState is an instance with a real node whose files are written, but which does not run.
func realState(t *testing.T) *State {
	t.Helper()
	state := newState(t, Store{Dir: t.TempDir()}, "demo")
	state.Claim = Claim{Ports: PortsFrom(7000)}
	state.Server = loopback("https", state.Ports.APIServer, "")
	state.ServiceCIDR = nodeServiceCIDR
	state.Kubeconfig = filepath.Join(state.Dir, "kubeconfig")
	state.BinDir = "/bin-dir"
	state.Node = newNode("demo")
	state.Components = []Component{{Name: namespacesName, Identity: process.Identity{Pid: 4711}}}
	if err := writeFiles(state, UpOptions{}); err != nil {
		t.Fatal(err)
	}
	return state
}

func names(plan []Component) []string {
	var found []string
	for _, c := range plan {
		found = append(found, c.Name)
	}
	return found
}

func TestWithARealNodeEverythingRunsInsideAndNobodySimulates(t *testing.T) {
	state := realState(t)
	plan := planComponents(state, UpOptions{})
	if got := names(plan); slices.Contains(got, kwokName) || len(got) != 4 {
		t.Errorf("control plane %v", got)
	}
	plan = append(plan, planNode(state, kubeapi.NodeSpec{Labels: map[string]string{"b": "2", "a": "1"}})...)
	for _, c := range plan {
		if c.Argv[0] != "nsenter" || c.Argv[1] != "--target=4711" {
			t.Errorf("%s runs outside: %v", c.Name, c.Argv)
		}
		if c.Health == "" || c.Log == "" {
			t.Errorf("%s has no health address or log", c.Name)
		}
	}
	kubelet := plan[slices.Index(names(plan), kubeletName)]
	if !slices.Contains(kubelet.Argv, "--node-labels=a=1,b=2") {
		t.Errorf("the labels are missing: %v", kubelet.Argv)
	}
	server := strings.Join(plan[1].Argv, " ")
	for _, want := range []string{"--bind-address=0.0.0.0", "--advertise-address=" + nodeAddress, "--service-cluster-ip-range=" + nodeServiceCIDR} {
		if !strings.Contains(server, want) {
			t.Errorf("kube-apiserver lacks %s", want)
		}
	}
	if strings.Contains(server, "--endpoint-reconciler-type=none") {
		t.Error("the Service kubernetes would have no endpoints, so pods could not reach the API server")
	}
}

func TestWithoutARealNodeNothingEntersNamespaces(t *testing.T) {
	state := writtenState(t, UpOptions{})
	for _, c := range planComponents(state, UpOptions{}) {
		if c.Argv[0] == "nsenter" {
			t.Errorf("%s: %v", c.Name, c.Argv)
		}
	}
	if _, err := os.Stat(filepath.Join(state.confDir(), "kubelet.yaml")); !os.IsNotExist(err) {
		t.Errorf("a kubelet was configured: %v", err)
	}
}

func TestFilesOfTheNodeNameTheFilesAndPortsOfTheInstance(t *testing.T) {
	state := realState(t)
	read := func(dir, name string) string {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	expectations := map[string][]string{
		"kubelet.yaml": {"cgroupRoot: /devcluster-demo", "unix://" + state.containerdSocket(), "healthzPort: 7007",
			"nodefs.available: 1%,", state.pkiDir() + "/kubelet.crt"},
		"containerd.toml": {`address = "` + state.containerdSocket() + `"`, "127.0.0.1:7006", sandboxImage},
		"kube-proxy.yaml": {"127.0.0.1:7008", state.clientConfig(kubeProxyName), nodePodSubnet},
		"Corefile":        {"bind " + nodeAddress, "ready 127.0.0.1:7009", state.clientConfig(corednsName)},
	}
	for file, wanted := range expectations {
		text := read(state.confDir(), file)
		for _, want := range wanted {
			if !strings.Contains(text, want) {
				t.Errorf("%s has no %q:\n%s", file, want, text)
			}
		}
		if strings.Contains(text, "%!") {
			t.Errorf("%s was written with a wrong format: %s", file, text)
		}
	}
	if !json.Valid([]byte(read(filepath.Join(state.nodeDir(), "cni"), "10-pods.conflist"))) {
		t.Error("the CNI configuration is not JSON")
	}
	tokens := read(state.pkiDir(), "tokens.csv")
	for _, want := range []string{",system:node:real-0,", ",system:nodes", ",system:kube-proxy,"} {
		if !strings.Contains(tokens, want) {
			t.Errorf("tokens.csv has no %s", want)
		}
	}
}

func TestARealNodeIsNotMixedWithSimulatedOnes(t *testing.T) {
	manager := &Manager{Store: Store{Dir: t.TempDir()}}
	if _, err := manager.Up(t.Context(), UpOptions{Name: "x", RealNode: true, Nodes: 3}); err == nil {
		t.Error("simulated nodes beside a real one were accepted")
	}
}
