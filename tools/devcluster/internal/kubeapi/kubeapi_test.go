package kubeapi

import (
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
)

var spec = NodeSpec{
	CPU: "8", Memory: "32Gi", Pods: "110",
	Resources: map[string]string{"nvidia.com/gpu": "4"},
	Labels:    map[string]string{"node-type": "compute"},
}

func newClient(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewTLSServer(handler)
	t.Cleanup(server.Close)
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	client, err := NewClient(server.URL, authority, "secret")
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestANewNodeHasResourcesLabelsAndKwoksMark(t *testing.T) {
	node := NewNode("node-007", spec)
	want := map[string]string{"cpu": "8", "memory": "32Gi", "pods": "110", "nvidia.com/gpu": "4"}
	if !reflect.DeepEqual(node.Status.Capacity, want) || !reflect.DeepEqual(node.Status.Allocatable, want) {
		t.Errorf("resources %v, %v", node.Status.Capacity, node.Status.Allocatable)
	}
	if node.Metadata.Labels["node-type"] != "compute" || node.Metadata.Labels["kubernetes.io/hostname"] != "node-007" {
		t.Errorf("labels %v", node.Metadata.Labels)
	}
	if !node.Simulated() || node.Schedulable() {
		t.Errorf("simulated %t, schedulable %t", node.Simulated(), node.Schedulable())
	}
}

func TestANodeIsSchedulableWhenReadyAndWithoutTaint(t *testing.T) {
	node := NewNode("n", spec)
	node.Status.Conditions = []condition{{"MemoryPressure", "False"}, {"Ready", "True"}}
	if !node.Schedulable() {
		t.Error("a Ready node is not schedulable")
	}
	node.Spec.Taints = []taint{{"node.kubernetes.io/not-ready", "NoSchedule"}}
	if node.Schedulable() {
		t.Error("a node with the not-ready taint is schedulable")
	}
	node.Spec.Taints = []taint{{"example.org/mine", "NoSchedule"}}
	node.Status.Conditions[1].Status = "Unknown"
	if node.Schedulable() {
		t.Error("a node of unknown state is schedulable")
	}
}

func TestNodeNamesFillGaps(t *testing.T) {
	taken := []Node{*NewNode("node-000", spec), *NewNode("node-002", spec), *NewNode("other", spec)}
	got := NodeNames(3, taken)
	if want := []string{"node-001", "node-003", "node-004"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestCreateNodesSendsEachNodeWithTheToken(t *testing.T) {
	var mu sync.Mutex
	got := map[string]bool{}
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		var node Node
		if err := json.NewDecoder(r.Body).Decode(&node); err != nil {
			t.Error(err)
		}
		if r.Method != http.MethodPost || r.URL.Path != "/api/v1/nodes" || r.Header.Get("Authorization") != "Bearer secret" {
			t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
		}
		mu.Lock()
		defer mu.Unlock()
		got[node.Metadata.Name] = true
		w.WriteHeader(http.StatusCreated)
	})
	names := NodeNames(40, nil)
	if err := client.CreateNodes(t.Context(), names, spec); err != nil {
		t.Fatal(err)
	}
	if len(got) != 40 {
		t.Errorf("%d nodes arrived", len(got))
	}
}

func TestErrorsOfSomeNodesAreReportedByName(t *testing.T) {
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/bad") {
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"kind":"Status","message":"nodes \"bad\" not found"}`))
		}
	})
	err := client.DeleteNodes(t.Context(), []string{"good", "bad"})
	var status *StatusError
	if !errors.As(err, &status) || status.Code != 404 || strings.Contains(err.Error(), "good") {
		t.Errorf("got %v", err)
	}
}

func TestCheckNodesCountsWhatIsMissing(t *testing.T) {
	ready := NewNode("node-000", spec)
	ready.Status.Conditions = []condition{{"Ready", "True"}}
	client := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"items": []Node{*ready, *NewNode("node-001", spec)}})
	})
	if err := client.CheckNodes(t.Context(), []string{"node-000"}); err != nil {
		t.Error(err)
	}
	err := client.CheckNodes(t.Context(), []string{"node-000", "node-001", "node-002"})
	if err == nil || err.Error() != "2 of 3 nodes are not Ready" {
		t.Errorf("got %v", err)
	}
}

func TestOnlyFailedHealthChecksAreShown(t *testing.T) {
	client := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte("[+]ping ok\n[-]etcd failed: reason withheld\n[+]log ok\nreadyz check failed\n"))
	})
	err := client.Ready(t.Context())
	want := "API server answered 500: [-]etcd failed: reason withheld; readyz check failed"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestVersionHasNoLeadingV(t *testing.T) {
	client := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"gitVersion":"v1.35.4"}`))
	})
	if version, err := client.Version(t.Context()); err != nil || version != "1.35.4" {
		t.Errorf("%s, %v", version, err)
	}
}
