package instance

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// The names of the components, in the order in which they are started.
const (
	etcdName              = "etcd"
	apiServerName         = "kube-apiserver"
	controllerManagerName = "kube-controller-manager"
	schedulerName         = "kube-scheduler"
	kwokName              = "kwok"
)

// componentEnv is the whole environment of every component. Variables such as HTTPS_PROXY must not
// reach the API server, or it would call webhooks through the proxy.
func componentEnv() []string {
	// GOGC trades memory for CPU, of which a test machine has less to spare.
	env := []string{"GOGC=400"}
	for _, name := range []string{"HOME", "PATH", "TMPDIR", "TZ"} {
		if value, set := os.LookupEnv(name); set {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// planComponents says how each component is to be run.
func planComponents(s *State, options UpOptions) []Component {
	plan := []Component{
		{Name: etcdName, Argv: append(programOf(s, etcdName), etcdFlags(s)...), Health: loopback("http", s.Ports.Etcd, "/health")},
		{Name: apiServerName, Argv: append(programOf(s, apiServerName), apiServerFlags(s, options)...), Health: s.Server + "/readyz"},
		{
			Name: controllerManagerName, Argv: append(programOf(s, controllerManagerName), controllerManagerFlags(s)...),
			Health: loopback("https", s.Ports.ControllerManager, "/healthz"),
		},
		{
			Name: schedulerName, Argv: append(schedulerOf(s, options), schedulerFlags(s)...),
			Health: loopback("https", s.Ports.Scheduler, "/healthz"),
		},
		{
			Name: kwokName, Argv: append([]string{filepath.Join(s.BinDir, kwokName)}, kwokFlags(s)...),
			Health: loopback("http", s.Ports.Kwok, "/healthz"),
		},
	}
	if s.Node != nil {
		plan = plan[:4] // without kwok: nobody simulates
	}
	for i := range plan {
		plan[i].Argv = s.inside(plan[i].Argv...)
		plan[i].Env = componentEnv()
		plan[i].Log = filepath.Join(s.logDir(), plan[i].Name+".log")
	}
	return plan
}

// programOf returns the beginning of a component's command line. All are kubebox, but etcd and the
// API server may come from a folder of envtest binaries.
func programOf(s *State, component string) []string {
	if path, provided := providedProgram(component); provided {
		return []string{path}
	}
	return []string{filepath.Join(s.BinDir, "kubebox"), component}
}

func schedulerOf(s *State, options UpOptions) []string {
	if len(options.Scheduler) > 0 {
		return slices.Clone(options.Scheduler)
	}
	return programOf(s, schedulerName)
}

// etcdFlags make a store that need not survive the machine: without fsync it is many times faster.
func etcdFlags(s *State) []string {
	client, peer := loopback("http", s.Ports.Etcd, ""), loopback("http", s.Ports.EtcdPeer, "")
	return []string{
		"--name=" + s.Name, "--data-dir=" + s.dataDir(), "--log-level=warn",
		"--unsafe-no-fsync", "--quota-backend-bytes=8589934592", "--snapshot-count=10000",
		"--listen-client-urls=" + client, "--advertise-client-urls=" + client,
		"--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer,
		"--initial-cluster=" + s.Name + "=" + peer,
	}
}

func apiServerFlags(s *State, options UpOptions) []string {
	pki := func(file string) string { return filepath.Join(s.pkiDir(), file) }
	flags := []string{
		fmt.Sprintf("--secure-port=%d", s.Ports.APIServer),
		"--etcd-servers=" + loopback("http", s.Ports.Etcd, ""),
		"--service-cluster-ip-range=" + s.ServiceCIDR,
		"--allow-privileged=true", "--authorization-mode=Node,RBAC", "--anonymous-auth=false",
		"--enable-admission-plugins=NodeRestriction",
		"--client-ca-file=" + pki("ca.crt"), "--token-auth-file=" + pki("tokens.csv"),
		"--tls-cert-file=" + pki("apiserver.crt"), "--tls-private-key-file=" + pki("apiserver.key"),
		"--kubelet-client-certificate=" + pki("kubelet-client.crt"), "--kubelet-client-key=" + pki("kubelet-client.key"),
		"--requestheader-client-ca-file=" + pki("front.crt"), "--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + pki("front-client.crt"), "--proxy-client-key-file=" + pki("front-client.key"),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + pki("sa.crt"), "--service-account-signing-key-file=" + pki("sa.key"),
		"--max-requests-inflight=3000", "--max-mutating-requests-inflight=1000",
		"--runtime-config=admissionregistration.k8s.io/v1beta1=true", "--feature-gates=MutatingAdmissionPolicy=true",
	}
	if s.Node != nil {
		// Pods reach it through the Service "kubernetes"; it reaches the kubelet, whose name is in no DNS.
		flags = append(flags, "--bind-address=0.0.0.0", "--advertise-address="+nodeAddress,
			"--kubelet-preferred-address-types=InternalIP", "--kubelet-certificate-authority="+pki("ca.crt"))
	} else {
		// A loopback address is not allowed in Endpoints, so nobody may write those of "kubernetes".
		flags = append(flags, "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none")
	}
	if options.Audit {
		flags = append(flags,
			"--audit-policy-file="+s.auditPolicyPath(), "--audit-log-path="+s.AuditLog, "--audit-log-maxsize=4096")
	}
	return flags
}

func controllerManagerFlags(s *State) []string {
	config := s.clientConfig(controllerManagerName)
	pki := func(file string) string { return filepath.Join(s.pkiDir(), file) }
	return []string{
		"--kubeconfig=" + config, "--authentication-kubeconfig=" + config, "--authorization-kubeconfig=" + config,
		"--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", s.Ports.ControllerManager),
		"--leader-elect=false", "--use-service-account-credentials=true", "--allocate-node-cidrs=false",
		"--service-account-private-key-file=" + pki("sa.key"), "--root-ca-file=" + pki("ca.crt"),
		"--cluster-signing-cert-file=" + pki("ca.crt"), "--cluster-signing-key-file=" + pki("ca.key"),
		"--requestheader-client-ca-file=" + pki("front.crt"),
		"--kube-api-qps=2000", "--kube-api-burst=4000", "--concurrent-gc-syncs=20",
		"--concurrent-deployment-syncs=10", "--concurrent-replicaset-syncs=10",
	}
}

func schedulerFlags(s *State) []string {
	config := s.clientConfig(schedulerName)
	return []string{
		"--config=" + s.schedulerConfigPath(),
		"--authentication-kubeconfig=" + config, "--authorization-kubeconfig=" + config,
		"--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", s.Ports.Scheduler),
	}
}

func kwokFlags(s *State) []string {
	return []string{
		"--config=" + filepath.Join(s.BinDir, "kwok.yaml"), "--kubeconfig=" + s.clientConfig(kwokName),
		"--v=WARN", "--manage-all-nodes=false", "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
		fmt.Sprintf("--server-address=127.0.0.1:%d", s.Ports.Kwok),
		"--node-ip=127.0.0.1", "--cidr=10.254.0.0/16", "--node-lease-duration-seconds=40",
	}
}

func loopback(scheme string, port int, path string) string {
	return fmt.Sprintf("%s://127.0.0.1:%d%s", scheme, port, path)
}
