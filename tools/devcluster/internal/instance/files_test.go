package instance

import (
	"crypto/tls"
	"encoding/csv"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// writtenState is an instance whose files are written, but which does not run.
func writtenState(t *testing.T, options UpOptions) *State {
	t.Helper()
	state := newState(t, Store{Dir: t.TempDir()}, "demo")
	state.Claim = Claim{Slot: 5, Ports: PortsFrom(7000)}
	state.Server = loopback("https", state.Ports.APIServer, "")
	state.ServiceCIDR = state.Slot.ServiceCIDR()
	state.Kubeconfig = filepath.Join(state.Dir, "kubeconfig")
	state.BinDir = "/bin-dir"
	state.AuditLog = filepath.Join(state.logDir(), "audit.log")
	if err := writeFiles(state, options); err != nil {
		t.Fatal(err)
	}
	return state
}

func TestSecretsAreReadableByTheirOwnerOnly(t *testing.T) {
	state := writtenState(t, UpOptions{})
	secrets := []string{state.Kubeconfig, state.adminTokenPath(), filepath.Join(state.pkiDir(), "tokens.csv"),
		filepath.Join(state.pkiDir(), "ca.key"), filepath.Join(state.pkiDir(), "sa.key"), state.clientConfig("kwok")}
	for _, path := range secrets {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
	}
}

func TestEveryClientHasATokenOfItsOwnInItsKubeconfig(t *testing.T) {
	state := writtenState(t, UpOptions{})
	file, err := os.Open(filepath.Join(state.pkiDir(), "tokens.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != len(clients) {
		t.Fatalf("%d tokens for %d clients", len(rows), len(clients))
	}
	seen := map[string]bool{}
	for i, client := range clients {
		token, path := rows[i][0], state.clientConfig(client.file)
		if client.file == "admin" {
			path = state.Kubeconfig
		}
		config, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(config), "token: "+token+"\n") || !strings.Contains(string(config), state.Server) {
			t.Errorf("kubeconfig of %s has not its token and server:\n%s", client.file, config)
		}
		if seen[token] || rows[i][1] != client.user {
			t.Errorf("row %v of client %s", rows[i], client.file)
		}
		seen[token] = true
	}
}

func TestTheAdminsClientTrustsTheServersCertificate(t *testing.T) {
	state := writtenState(t, UpOptions{})
	pair, err := tls.LoadX509KeyPair(filepath.Join(state.pkiDir(), "apiserver.crt"), filepath.Join(state.pkiDir(), "apiserver.key"))
	if err != nil {
		t.Fatal(err)
	}
	token, err := os.ReadFile(state.adminTokenPath())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+string(token) {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	server.StartTLS()
	defer server.Close()
	state.Server = server.URL
	api, err := clientFor(state)
	if err != nil {
		t.Fatal(err)
	}
	if err := api.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAuditIsConfiguredOnlyWhenAskedFor(t *testing.T) {
	t.Setenv("KUBEBUILDER_ASSETS", "")
	for _, audit := range []bool{false, true} {
		options := UpOptions{Audit: audit}
		state := writtenState(t, options)
		_, err := os.Stat(state.auditPolicyPath())
		if (err == nil) != audit {
			t.Errorf("audit %t: policy file: %v", audit, err)
		}
		argv := planComponents(state, options)[1].Argv
		if slices.Contains(argv, "--audit-log-path="+state.AuditLog) != audit {
			t.Errorf("audit %t: %v", audit, argv)
		}
	}
}

func TestSchedulerLeaseIsAChoice(t *testing.T) {
	for _, lease := range []bool{false, true} {
		want := "leaderElect: false"
		if lease {
			want = "leaderElect: true"
		}
		if config := schedulerConfig("/k", lease); !strings.Contains(config, want) {
			t.Errorf("lease %t:\n%s", lease, config)
		}
	}
}

func TestEnvtestBinariesReplaceEtcdAndAPIServerOnly(t *testing.T) {
	t.Setenv("KUBEBUILDER_ASSETS", "/assets")
	state := writtenState(t, UpOptions{})
	want := map[string]string{
		"etcd": "/assets/etcd", "kube-apiserver": "/assets/kube-apiserver",
		"kube-controller-manager": "/bin-dir/kubebox", "kube-scheduler": "/bin-dir/kubebox", "kwok": "/bin-dir/kwok",
	}
	for _, c := range planComponents(state, UpOptions{}) {
		if c.Argv[0] != want[c.Name] {
			t.Errorf("%s runs %s, want %s", c.Name, c.Argv[0], want[c.Name])
		}
	}
	if path := ProgramPath("/bin-dir", "kubectl"); path != "/assets/kubectl" {
		t.Errorf("kubectl is %s", path)
	}
	if path := ProgramPath("/bin-dir", "helm"); path != "/bin-dir/helm" {
		t.Errorf("helm is %s", path)
	}
}

func TestProxyVariablesDoNotReachComponents(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://proxy.example:3128")
	t.Setenv("HOME", "/home/x")
	env := componentEnv()
	if !slices.Contains(env, "HOME=/home/x") {
		t.Errorf("HOME is missing in %v", env)
	}
	for _, entry := range env {
		if strings.HasPrefix(entry, "HTTPS_PROXY=") {
			t.Errorf("%s reaches components", entry)
		}
	}
}

func TestAnotherClusterIsUsedOnlyWhenBothVariablesSaySo(t *testing.T) {
	t.Setenv("KUBECONFIG", "/k")
	t.Setenv("KORDER_USE_CLUSTER", "")
	if external, err := FindExternal(); external != nil || err != nil {
		t.Errorf("KUBECONFIG alone: %v, %v", external, err)
	}
	t.Setenv("KORDER_USE_CLUSTER", "1")
	if external, err := FindExternal(); err != nil || external == nil || external.Kubeconfig != "/k" {
		t.Errorf("both: %v, %v", external, err)
	}
	t.Setenv("KUBECONFIG", "")
	if _, err := FindExternal(); err == nil {
		t.Error("KORDER_USE_CLUSTER without KUBECONFIG is no error")
	}
}
