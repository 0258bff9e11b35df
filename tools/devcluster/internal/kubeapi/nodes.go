package kubeapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
)

// kwokAnnotation marks the nodes that kwok plays.
const kwokAnnotation = "kwok.x-k8s.io/node"

// NodeSpec describes simulated nodes; all made from one spec are alike.
type NodeSpec struct {
	CPU       string
	Memory    string
	Pods      string
	Resources map[string]string // further ones, such as nvidia.com/gpu
	Labels    map[string]string
}

type metadata struct {
	Name        string            `json:"name"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

type taint struct {
	Key    string `json:"key"`
	Effect string `json:"effect"`
}

type condition struct {
	Type   string `json:"type"`
	Status string `json:"status"`
}

type nodeStatus struct {
	Capacity    map[string]string `json:"capacity,omitempty"`
	Allocatable map[string]string `json:"allocatable,omitempty"`
	Conditions  []condition       `json:"conditions,omitempty"`
}

// Node is the part of a Node object that is of interest here.
type Node struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Metadata   metadata `json:"metadata"`
	Spec       struct {
		Taints []taint `json:"taints,omitempty"`
	} `json:"spec"`
	Status nodeStatus `json:"status"`
}

// Simulated tells whether kwok plays the node.
func (n *Node) Simulated() bool {
	return n.Metadata.Annotations[kwokAnnotation] == "fake"
}

// Schedulable tells whether the node is Ready and the controller manager has seen it: the API
// server puts a taint on each new node, which goes away only then.
func (n *Node) Schedulable() bool {
	for _, t := range n.Spec.Taints {
		if t.Key == "node.kubernetes.io/not-ready" {
			return false
		}
	}
	for _, c := range n.Status.Conditions {
		if c.Type == "Ready" {
			return c.Status == "True"
		}
	}
	return false
}

// NewNode describes one simulated node.
func NewNode(name string, spec NodeSpec) *Node {
	resources := map[string]string{"cpu": spec.CPU, "memory": spec.Memory, "pods": spec.Pods}
	for key, amount := range spec.Resources {
		resources[key] = amount
	}
	labels := map[string]string{
		"kubernetes.io/arch": "amd64", "kubernetes.io/hostname": name, "kubernetes.io/os": "linux",
	}
	for key, value := range spec.Labels {
		labels[key] = value
	}
	return &Node{
		APIVersion: "v1", Kind: "Node",
		Metadata: metadata{Name: name, Labels: labels, Annotations: map[string]string{kwokAnnotation: "fake"}},
		Status:   nodeStatus{Capacity: resources, Allocatable: resources},
	}
}

// NodeNames returns count names that do not occur among the taken ones: node-000, node-001...
func NodeNames(count int, taken []Node) []string {
	used := make(map[string]bool, len(taken))
	for _, node := range taken {
		used[node.Metadata.Name] = true
	}
	var names []string
	for i := 0; len(names) < count; i++ {
		if name := fmt.Sprintf("node-%03d", i); !used[name] {
			names = append(names, name)
		}
	}
	return names
}

// Nodes lists all nodes.
func (c *Client) Nodes(ctx context.Context) ([]Node, error) {
	var list struct{ Items []Node }
	err := c.Do(ctx, http.MethodGet, "/api/v1/nodes", nil, &list)
	return list.Items, err
}

// CreateNodes makes the nodes, several at a time.
func (c *Client) CreateNodes(ctx context.Context, names []string, spec NodeSpec) error {
	return inParallel(names, func(name string) error {
		return c.Do(ctx, http.MethodPost, "/api/v1/nodes", NewNode(name, spec), nil)
	})
}

// DeleteNodes deletes the nodes; one that is not there is an error.
func (c *Client) DeleteNodes(ctx context.Context, names []string) error {
	return inParallel(names, func(name string) error {
		return c.Do(ctx, http.MethodDelete, "/api/v1/nodes/"+url.PathEscape(name), nil, nil)
	})
}

// CheckNodes returns nil when all the named nodes can take pods.
func (c *Client) CheckNodes(ctx context.Context, names []string) error {
	nodes, err := c.Nodes(ctx)
	if err != nil {
		return err
	}
	if missing := countMissing(names, nodes); missing > 0 {
		return fmt.Errorf("%d of %d nodes are not Ready", missing, len(names))
	}
	return nil
}

func countMissing(names []string, nodes []Node) int {
	ready := map[string]bool{}
	for i := range nodes {
		ready[nodes[i].Metadata.Name] = nodes[i].Schedulable()
	}
	missing := 0
	for _, name := range names {
		if !ready[name] {
			missing++
		}
	}
	return missing
}

// inParallel calls act for every name, 16 at a time, and joins what went wrong.
func inParallel(names []string, act func(string) error) error {
	errs := make([]error, len(names))
	slots := make(chan struct{}, 16)
	var group sync.WaitGroup
	for i, name := range names {
		slots <- struct{}{}
		group.Add(1)
		go func() {
			defer group.Done()
			defer func() { <-slots }()
			if err := act(name); err != nil {
				errs[i] = fmt.Errorf("%s: %w", name, err)
			}
		}()
	}
	group.Wait()
	return errors.Join(errs...)
}
