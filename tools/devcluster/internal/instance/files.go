package instance

import (
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"korder.dev/devcluster/internal/pki"
)

// clients are the users of the components, and the admin. They show bearer tokens: a client
// certificate would be verified anew on every request, which costs the API server 6-7 % of its CPU.
var clients = []client{
	{"admin", "admin", "system:masters"},
	{"kwok", "kwok", "system:masters"},
	{"kube-controller-manager", "system:kube-controller-manager", ""},
	{"kube-scheduler", "system:kube-scheduler", ""},
}

type client struct{ file, user, group string }

// nodeClients are the further users that a real node has.
func nodeClients(node *Node) []client {
	return []client{
		{kubeletName, "system:node:" + node.Name, "system:nodes"},
		{kubeProxyName, "system:kube-proxy", ""},
		{corednsName, "coredns", "system:masters"},
	}
}

// writeFiles makes everything the components read: keys, certificates, tokens, configuration.
func writeFiles(s *State, options UpOptions) error {
	for _, dir := range []string{s.pkiDir(), s.confDir(), s.logDir(), s.dataDir()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	authority, err := writeCertificates(s)
	if err != nil {
		return err
	}
	if err := writeClients(s, authority); err != nil {
		return err
	}
	if options.Audit {
		if err := os.WriteFile(s.auditPolicyPath(), []byte(auditPolicy), 0o644); err != nil {
			return err
		}
	}
	if s.Node != nil {
		if err := writeNodeFiles(s); err != nil {
			return err
		}
	}
	config := schedulerConfig(s.clientConfig("kube-scheduler"), options.SchedulerLease)
	return os.WriteFile(s.schedulerConfigPath(), []byte(config), 0o644)
}

func writeCertificates(s *State) (authority []byte, err error) {
	ca, err := pki.NewAuthority("devcluster-" + s.Name)
	if err != nil {
		return nil, err
	}
	front, err := pki.NewAuthority("devcluster-" + s.Name + "-front-proxy")
	if err != nil {
		return nil, err
	}
	kubelet := pki.Subject{CommonName: "kube-apiserver-kubelet-client", Organization: "system:masters"}
	server := pki.ServerSubject(s.Slot.ServiceAddress())
	if s.Node != nil {
		server.Addresses = append(server.Addresses, net.ParseIP(nodeAddress), net.ParseIP(nodeServiceAddress))
	}
	pairs := map[string]func() (pki.Pair, error){
		"ca":             ca.Pair,
		"front":          front.Pair,
		"apiserver":      func() (pki.Pair, error) { return ca.Issue(server) },
		"kubelet-client": func() (pki.Pair, error) { return ca.Issue(kubelet) },
		"front-client":   func() (pki.Pair, error) { return front.Issue(pki.Subject{CommonName: "front-proxy-client"}) },
		"sa":             pki.SigningKey,
	}
	if s.Node != nil {
		pairs[kubeletName] = func() (pki.Pair, error) {
			return ca.Issue(pki.Subject{CommonName: "system:node:" + s.Node.Name, Organization: "system:nodes",
				DNSNames: []string{s.Node.Name}, Addresses: []net.IP{net.ParseIP(nodeAddress)}})
		}
	}
	for name, make := range pairs {
		pair, err := make()
		if err != nil {
			return nil, fmt.Errorf("certificate %s: %w", name, err)
		}
		if err := pair.Write(s.pkiDir(), name); err != nil {
			return nil, err
		}
	}
	return os.ReadFile(filepath.Join(s.pkiDir(), "ca.crt"))
}

func writeClients(s *State, authority []byte) error {
	var table strings.Builder
	users := clients
	if s.Node != nil {
		users = append(slices.Clone(clients), nodeClients(s.Node)...)
	}
	for i, client := range users {
		token, err := pki.NewToken()
		if err != nil {
			return err
		}
		fmt.Fprintf(&table, "%s,%s,%d,%s\n", token, client.user, i+1, client.group)
		path := s.clientConfig(client.file)
		if client.file == "admin" {
			path = s.Kubeconfig
			if err := os.WriteFile(s.adminTokenPath(), []byte(token), 0o600); err != nil {
				return err
			}
		}
		config := kubeconfig("devcluster-"+s.Name, client.user, s.Server, authority, token)
		if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(s.pkiDir(), "tokens.csv"), []byte(table.String()), 0o600)
}

func (s *State) clientConfig(client string) string {
	return filepath.Join(s.confDir(), client+".kubeconfig")
}

func (s *State) schedulerConfigPath() string {
	return filepath.Join(s.confDir(), "kube-scheduler.yaml")
}
func (s *State) auditPolicyPath() string { return filepath.Join(s.confDir(), "audit-policy.yaml") }

func kubeconfig(context, user, server string, authority []byte, token string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Config
clusters:
- name: %[1]s
  cluster:
    server: %[3]s
    certificate-authority-data: %[4]s
users:
- name: %[2]s
  user:
    token: %[5]s
contexts:
- name: %[1]s
  context:
    cluster: %[1]s
    user: %[2]s
current-context: %[1]s
`, context, user, server, base64.StdEncoding.EncodeToString(authority), token)
}

// schedulerConfig lifts the client's throttle: here the machine is the limit, not politeness.
func schedulerConfig(kubeconfig string, lease bool) string {
	return fmt.Sprintf(`apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
clientConnection:
  kubeconfig: %s
  contentType: application/vnd.kubernetes.protobuf
  qps: 2000
  burst: 4000
leaderElection:
  leaderElect: %t
`, kubeconfig, lease)
}

// auditPolicy records every request that reaches an API, once, when it is answered. Each line has
// user, userAgent, verb, objectRef (resource, subresource, name) and responseStatus.code.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages:
- RequestReceived
rules:
- level: None
  nonResourceURLs: ["/healthz*", "/livez*", "/readyz*", "/version", "/openapi/*", "/api*", "/metrics"]
- level: Metadata
`
