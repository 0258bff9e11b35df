package instance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"korder.dev/devcluster/internal/cgroup"
	"korder.dev/devcluster/internal/kubeapi"
)

// A real node is a kubelet with a container runtime on this machine. The whole instance, control plane and all, then
// lives in a network and a mount namespace of its own, and all its processes in one cgroup. So nothing of it shows
// outside, its addresses may be the same in every instance, and taking it down is: end the processes of the cgroup.

// The names of what a real node adds, in the order in which it is started.
const (
	namespacesName = "namespaces"
	gatewayName    = "gateway"
	containerdName = "containerd"
	kubeletName    = "kubelet"
	kubeProxyName  = "kube-proxy"
	corednsName    = "coredns"
)

// The addresses of every instance with a real node; they are seen nowhere else.
const (
	nodeAddress     = "10.89.0.1"
	nodeServiceCIDR = "10.96.0.0/16"
	// nodeServiceAddress is the first of the range, which the Service "kubernetes" gets.
	nodeServiceAddress = "10.96.0.1"
	nodePodSubnet      = "10.88.0.0/24"
	clusterDomain      = "cluster.local"
)

// sandboxImage holds the namespaces of every pod. It has to be loaded before the first pod can run.
const sandboxImage = "registry.k8s.io/pause:3.10"

// Node is the real node of an instance.
type Node struct {
	Name   string `json:"name"`
	Cgroup string `json:"cgroup"`
}

// newNode names the node, and what belongs to it, after the instance.
func newNode(instance string) *Node {
	return &Node{Name: "real-0", Cgroup: "devcluster-" + instance}
}

func (n *Node) group() cgroup.Group { return cgroup.Group{Root: cgroup.SystemRoot, Name: n.Cgroup} }

func (s *State) nodeDir() string          { return filepath.Join(s.Dir, "node") }
func (s *State) containerdSocket() string { return filepath.Join(s.nodeDir(), "containerd.sock") }

// nodePrograms are Debian's, with the package that has them.
var nodePrograms = []struct{ path, pkg string }{
	{"containerd", "containerd"}, {"containerd-shim-runc-v2", "containerd"}, {"ctr", "containerd"}, {"runc", "runc"},
	{"ip", "iproute2"}, {"nft", "nftables"}, {"nsenter", "util-linux"}, {"unshare", "util-linux"}, {"mount", "mount"},
	{cniDir + "/bridge", "containernetworking-plugins"},
}

const cniDir = "/usr/lib/cni"

// checkNodePrograms tells what is missing to run a real node on this machine.
func checkNodePrograms() error {
	if os.Geteuid() != 0 {
		return errors.New("a real node needs root: it makes namespaces, cgroups and mounts")
	}
	var missing []string
	for _, program := range nodePrograms {
		if _, err := exec.LookPath(program.path); err != nil {
			missing = append(missing, fmt.Sprintf("%s (package %s)", program.path, program.pkg))
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("a real node needs programs that are not here: %s; scripts/bootstrap --node installs them",
			strings.Join(missing, ", "))
	}
	return nil
}

// inside returns the command line that runs a program in the namespaces of the instance. nsenter becomes the program,
// so the process is the one that was started. (`ip netns exec` would hide the cgroups.)
func (s *State) inside(argv ...string) []string {
	if s.Node == nil {
		return argv
	}
	keeper, err := s.Component(namespacesName)
	if err != nil {
		return argv
	}
	return append([]string{"nsenter", "--target=" + strconv.Itoa(keeper.Pid), "--net", "--mount", "--"}, argv...)
}

// isolate makes cgroup and namespaces, and the gateway into them.
func (m *Manager) isolate(ctx context.Context, group *group) error {
	s := group.state
	if err := s.Node.group().Create(); err != nil {
		return fmt.Errorf("making the cgroup %s: %w", s.Node.Cgroup, err)
	}
	keeper := s.plain(namespacesName, "unshare", "--net", "--mount", "--propagation=private", "sleep", "infinity")
	if err := group.start(keeper); err != nil {
		return err
	}
	if err := group.await(ctx, namespacesName, s.isolated); err != nil {
		return err
	}
	if out, err := s.runInside(ctx, "sh", "-ec", namespaceSetup, "sh", nodeAddress, s.nodeDir()); err != nil {
		return fmt.Errorf("setting up the namespaces: %w\n%s", err, out)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	keeperState, err := s.Component(namespacesName)
	if err != nil {
		return err
	}
	argv := []string{self, "gateway", fmt.Sprintf("/proc/%d/ns/net", keeperState.Pid)}
	for _, port := range s.Ports.all() {
		argv = append(argv, strconv.Itoa(port))
	}
	if err := group.start(s.plain(gatewayName, argv...)); err != nil {
		return err
	}
	m.Console.Step("network and mount namespaces of its own: nsenter --target %d --net --mount", keeperState.Pid)
	return nil
}

// isolated tells whether the keeper has left our network namespace.
func (s *State) isolated(context.Context) error {
	keeper, err := s.Component(namespacesName)
	if err != nil {
		return err
	}
	theirs, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", keeper.Pid))
	if err != nil {
		return err
	}
	ours, err := os.Readlink("/proc/self/ns/net")
	if err == nil && ours == theirs {
		err = errors.New("no network namespace yet")
	}
	return err
}

// runInside runs a command in the namespaces and returns all that it prints.
func (s *State) runInside(ctx context.Context, argv ...string) (string, error) {
	argv = s.inside(argv...)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = componentEnv()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// namespaceSetup prepares the namespaces; $1 is the node's address, $2 a folder for files.
//
// The node's address is on one end of a pair of virtual cables, for some kernels have no dummy device. Without a default
// route, connecting to a Service would fail before the address is translated. Runtime, CNI plugins and kubelet write to
// fixed places, which are covered: what is there goes with the namespace. So are the kernel settings that the kubelet
// would change for the whole machine: it finds files that have what it wants.
const namespaceSetup = `
ip link set lo up
ip link add node0 type veth peer name node0p
ip address add "$1/24" dev node0
ip link set node0 up
ip link set node0p up
ip route add default dev node0
echo 1 >/proc/sys/net/ipv4/ip_forward
for dir in /run /var/log /var/lib/cni; do
  mkdir -p "$dir"
  mount -t tmpfs -o mode=755 tmpfs "$dir"
done
mkdir -p "$2/kernel"
for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
    kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
  file=$2/kernel/$(echo "${setting%=*}" | tr / .)
  echo "${setting#*=}" >"$file"
  mount --bind "$file" "/proc/sys/${setting%=*}"
done
`

// startNode starts runtime, kubelet, Service proxy and DNS, and waits until the node takes pods.
func (m *Manager) startNode(ctx context.Context, group *group, api *kubeapi.Client, spec kubeapi.NodeSpec) error {
	s := group.state
	plan := planNode(s, spec)
	runtime, rest := plan[:1], plan[1:]
	if err := group.start(runtime...); err != nil {
		return err
	}
	if err := group.await(ctx, containerdName, func(ctx context.Context) error { return probe(ctx, runtime[0].Health) }); err != nil {
		return err
	}
	if err := group.start(rest...); err != nil {
		return err
	}
	for _, c := range rest {
		if err := group.await(ctx, c.Name, func(ctx context.Context) error { return probe(ctx, c.Health) }); err != nil {
			return err
		}
	}
	m.Console.Step("containerd, kubelet, kube-proxy and CoreDNS are ready")
	ready := func(ctx context.Context) error { return api.CheckNodes(ctx, []string{s.Node.Name}) }
	if err := group.await(ctx, kubeletName, ready); err != nil {
		return err
	}
	m.Console.Step("the real node %s is Ready; load images into it with `devcluster load`", s.Node.Name)
	return group.check()
}

// stopNode ends pods and runtime, and all else in the cgroup; with the last process the namespaces go.
func (m *Manager) stopNode(s *State) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := s.Node.group().Remove(ctx); err != nil {
		return err
	}
	// Made for the mount over it, in case it was not there.
	_ = os.Remove("/var/lib/cni")
	return os.RemoveAll(s.nodeDir())
}

// Load puts image files into the real node of an instance.
func (m *Manager) Load(ctx context.Context, name string, files []string) error {
	state, release, err := m.lockState(ctx, name)
	if err != nil {
		return err
	}
	defer release()
	if state.Node == nil {
		return fmt.Errorf("instance %q has no real node: `devcluster up --real`", name)
	}
	for _, file := range files {
		path, err := filepath.Abs(file)
		if err != nil {
			return err
		}
		out, err := state.runInside(ctx, "ctr", "--address="+state.containerdSocket(), "--namespace=k8s.io", "images", "import", path)
		if err != nil {
			return fmt.Errorf("loading %s: %w\n%s", file, err, out)
		}
		for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
			// "unpacking NAME (sha256:...)...done"
			if words := strings.Fields(line); len(words) > 1 && words[0] == "unpacking" {
				m.Console.Step("loaded %s", words[1])
			}
		}
	}
	return nil
}
