package instance

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"korder.dev/devcluster/internal/kubeapi"
)

// planNode says how the components of the node are to be run. containerd comes first: the others need it.
func planNode(s *State, spec kubeapi.NodeSpec) []Component {
	nodebox := filepath.Join(s.BinDir, "nodebox")
	conf := func(file string) string { return filepath.Join(s.confDir(), file) }
	var labels []string
	for key, value := range spec.Labels {
		labels = append(labels, key+"="+value)
	}
	slices.Sort(labels)
	kubelet := []string{
		nodebox, kubeletName, "--config=" + conf("kubelet.yaml"), "--kubeconfig=" + s.clientConfig(kubeletName),
		"--root-dir=" + filepath.Join(s.nodeDir(), "kubelet"), "--cert-dir=" + filepath.Join(s.nodeDir(), "kubelet", "pki"),
		"--hostname-override=" + s.Node.Name, "--node-ip=" + nodeAddress,
	}
	if len(labels) > 0 {
		kubelet = append(kubelet, "--node-labels="+strings.Join(labels, ","))
	}
	plan := []Component{
		{
			Name: containerdName, Argv: []string{containerdName, "--config=" + conf("containerd.toml")},
			Health: loopback("http", s.Ports.Containerd, "/v1/metrics"),
		},
		{Name: kubeletName, Argv: kubelet, Health: loopback("http", s.Ports.Kubelet, "/healthz")},
		{
			Name: kubeProxyName, Argv: []string{nodebox, kubeProxyName, "--config=" + conf("kube-proxy.yaml")},
			Health: loopback("http", s.Ports.KubeProxy, "/livez"),
		},
		{
			Name: corednsName, Argv: []string{filepath.Join(s.BinDir, corednsName), "-conf=" + conf("Corefile")},
			Health: loopback("http", s.Ports.CoreDNS, "/ready"),
		},
	}
	for i := range plan {
		plan[i].Argv = s.inside(plan[i].Argv...)
		plan[i].Env = componentEnv()
		plan[i].Log = filepath.Join(s.logDir(), plan[i].Name+".log")
	}
	return plan
}

// plain is a component without a health address, run outside of the namespaces.
func (s *State) plain(name string, argv ...string) Component {
	return Component{Name: name, Argv: argv, Env: componentEnv(), Log: filepath.Join(s.logDir(), name+".log")}
}

// writeNodeFiles makes what the components of the node read.
func writeNodeFiles(s *State) error {
	for _, dir := range []string{"cni", "containerd", "kubelet", "logs"} {
		if err := os.MkdirAll(filepath.Join(s.nodeDir(), dir), 0o755); err != nil {
			return err
		}
	}
	files := map[string]string{
		filepath.Join(s.nodeDir(), "cni", "10-pods.conflist"): cniConfig(s),
		filepath.Join(s.confDir(), "containerd.toml"):         containerdConfig(s),
		filepath.Join(s.confDir(), "kubelet.yaml"):            kubeletConfig(s),
		filepath.Join(s.confDir(), "kube-proxy.yaml"):         kubeProxyConfig(s),
		filepath.Join(s.confDir(), "Corefile"):                corefile(s),
	}
	for path, text := range files {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// cniConfig gives every pod an address on one bridge.
func cniConfig(s *State) string {
	return fmt.Sprintf(`{"cniVersion": "0.4.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": %q, "ranges": [[{"subnet": %q}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
`, filepath.Join(s.nodeDir(), "addresses"), nodePodSubnet)
}

// containerdConfig: inside another container the runtime may neither use AppArmor nor give containers a lower OOM score
// than it has itself.
func containerdConfig(s *State) string {
	return fmt.Sprintf(`version = 2
root = "%[1]s/containerd/root"
state = "%[1]s/containerd/state"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
]
[grpc]
  address = "%[2]s"
[metrics]
  address = "127.0.0.1:%[3]d"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "%[4]s"
  disable_apparmor = true
  restrict_oom_score_adj = true
  disable_tcp_service = true
  stream_server_address = "127.0.0.1"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "%[5]s"
    conf_dir = "%[1]s/cni"
`, s.nodeDir(), s.containerdSocket(), s.Ports.Containerd, sandboxImage, cniDir)
}

func kubeletConfig(s *State) string {
	return fmt.Sprintf(`apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: %[1]s
healthzBindAddress: 127.0.0.1
healthzPort: %[2]d
tlsCertFile: %[3]s/kubelet.crt
tlsPrivateKeyFile: %[3]s/kubelet.key
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: %[3]s/ca.crt}
authorization: {mode: Webhook}
containerRuntimeEndpoint: unix://%[4]s
podLogsDir: %[5]s/logs
volumePluginDir: %[5]s/kubelet/volume-plugins
cgroupRoot: /%[6]s
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
makeIPTablesUtilChains: false
resolvConf: ""
clusterDNS: [%[1]s]
clusterDomain: %[7]s
kubeAPIQPS: 200
kubeAPIBurst: 400
registryPullQPS: 0
eventRecordQPS: 0
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
evictionHard: {memory.available: 100Mi, nodefs.available: 1%%, imagefs.available: 1%%, nodefs.inodesFree: 1%%}
nodeStatusUpdateFrequency: 5s
maxPods: 200
`, nodeAddress, s.Ports.Kubelet, s.pkiDir(), s.containerdSocket(), s.nodeDir(), s.Node.Cgroup, clusterDomain)
}

func kubeProxyConfig(s *State) string {
	return fmt.Sprintf(`apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
bindAddress: 127.0.0.1
healthzBindAddress: 127.0.0.1:%[1]d
metricsBindAddress: ""
clientConnection:
  kubeconfig: %[2]s
clusterCIDR: %[3]s
hostnameOverride: %[4]s
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
nftables: {minSyncPeriod: 100ms, syncPeriod: 30s}
`, s.Ports.KubeProxy, s.clientConfig(kubeProxyName), nodePodSubnet, s.Node.Name)
}

func corefile(s *State) string {
	return fmt.Sprintf(`.:53 {
  bind %[1]s
  errors
  ready 127.0.0.1:%[2]d
  kubernetes %[3]s in-addr.arpa {
    kubeconfig %[4]s
    ttl 5
  }
}
`, nodeAddress, s.Ports.CoreDNS, clusterDomain, s.clientConfig(corednsName))
}
