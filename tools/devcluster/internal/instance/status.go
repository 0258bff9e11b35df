package instance

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"korder.dev/devcluster/internal/kubeapi"
)

// Status is what `devcluster status` tells about one instance.
type Status struct {
	Name        string            `json:"name"`
	External    bool              `json:"external,omitempty"`
	KubeVersion string            `json:"kubeVersion,omitempty"`
	Healthy     bool              `json:"healthy"`
	Server      string            `json:"server,omitempty"`
	Kubeconfig  string            `json:"kubeconfig"`
	ServiceCIDR string            `json:"serviceCIDR,omitempty"`
	BinDir      string            `json:"binDir,omitempty"`
	LogDir      string            `json:"logDir,omitempty"`
	AuditLog    string            `json:"auditLog,omitempty"`
	StartedAt   *time.Time        `json:"startedAt,omitempty"`
	Nodes       NodeCounts        `json:"nodes"`
	Ports       *Ports            `json:"ports,omitempty"`
	Components  []ComponentStatus `json:"components,omitempty"`
}

// NodeCounts counts nodes; all zero when the API server does not answer.
type NodeCounts struct {
	Total     int `json:"total"`
	Ready     int `json:"ready"`
	Simulated int `json:"simulated"`
}

// ComponentStatus is one process.
type ComponentStatus struct {
	Name    string `json:"name"`
	Pid     int    `json:"pid"`
	Running bool   `json:"running"`
	Healthy bool   `json:"healthy"`
	Log     string `json:"log"`
}

// Status looks at one instance, or at all when the name is empty.
func (m *Manager) Status(ctx context.Context, name string) ([]Status, error) {
	external, err := FindExternal()
	if err != nil {
		return nil, err
	}
	if external != nil {
		return []Status{external.status(ctx)}, nil
	}
	states, err := m.Store.List()
	if name != "" {
		var state *State
		state, err = m.Store.Load(name)
		states = []*State{state}
	}
	if err != nil {
		return nil, err
	}
	statuses := []Status{}
	for _, state := range states {
		statuses = append(statuses, statusOf(ctx, state))
	}
	return statuses, nil
}

func statusOf(ctx context.Context, s *State) Status {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	status := Status{
		Name: s.Name, KubeVersion: s.KubeVersion, Server: s.Server, Kubeconfig: s.Kubeconfig,
		ServiceCIDR: s.ServiceCIDR, BinDir: s.BinDir, LogDir: s.logDir(), AuditLog: s.AuditLog,
		StartedAt: &s.StartedAt, Ports: &s.Ports, Healthy: len(s.Components) > 0,
	}
	api, apiErr := clientFor(s)
	for i := range s.Components {
		c := &s.Components[i]
		entry := ComponentStatus{Name: c.Name, Pid: c.Pid, Running: c.Alive(), Log: c.Log}
		entry.Healthy = entry.Running && apiErr == nil && healthOf(ctx, api, c) == nil
		status.Healthy = status.Healthy && entry.Healthy
		status.Components = append(status.Components, entry)
	}
	if apiErr == nil {
		status.Nodes = countNodes(ctx, api)
	}
	return status
}

func countNodes(ctx context.Context, api *kubeapi.Client) NodeCounts {
	nodes, err := api.Nodes(ctx)
	if err != nil {
		return NodeCounts{}
	}
	counts := NodeCounts{Total: len(nodes)}
	for i := range nodes {
		if nodes[i].Schedulable() {
			counts.Ready++
		}
		if nodes[i].Simulated() {
			counts.Simulated++
		}
	}
	return counts
}

func (e *External) status(ctx context.Context) Status {
	version, err := e.Check(ctx, "")
	return Status{Name: "external", External: true, KubeVersion: version, Healthy: err == nil, Kubeconfig: e.Kubeconfig}
}

// FormatStatus writes statuses for people.
func FormatStatus(statuses []Status) string {
	if len(statuses) == 0 {
		return "no instance is up\n"
	}
	var text strings.Builder
	for i, s := range statuses {
		if i > 0 {
			text.WriteString("\n")
		}
		formatOne(&text, s)
	}
	return text.String()
}

func formatOne(text *strings.Builder, s Status) {
	health := "healthy"
	if !s.Healthy {
		health = "NOT HEALTHY"
	}
	fmt.Fprintf(text, "%s: Kubernetes %s, %s\n", s.Name, s.KubeVersion, health)
	table := tabwriter.NewWriter(text, 0, 0, 2, ' ', 0)
	row := func(label, value string) {
		if value != "" {
			fmt.Fprintf(table, "  %s\t%s\n", label, value)
		}
	}
	row("server", s.Server)
	row("kubeconfig", s.Kubeconfig)
	row("services", s.ServiceCIDR)
	if !s.External {
		row("nodes", fmt.Sprintf("%d, of which %d Ready, %d simulated", s.Nodes.Total, s.Nodes.Ready, s.Nodes.Simulated))
	}
	row("audit log", s.AuditLog)
	row("logs", s.LogDir)
	for _, c := range s.Components {
		row(c.Name, fmt.Sprintf("pid %d, %s", c.Pid, c.describe()))
	}
	table.Flush()
}

func (c ComponentStatus) describe() string {
	switch {
	case !c.Running:
		return "does not run, see " + c.Log
	case !c.Healthy:
		return "runs but is not healthy, see " + c.Log
	}
	return "healthy"
}
