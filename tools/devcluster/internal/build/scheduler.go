package build

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
)

// schedulerProgram is a kube-scheduler alone: a fraction of kubebox to compile.
const schedulerProgram = `// Command kube-scheduler is the stock scheduler of one Kubernetes version.
package main

import (
	"os"

	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	"k8s.io/kubernetes/cmd/kube-scheduler/app"
)

func main() { os.Exit(cli.Run(app.NewSchedulerCommand())) }
`

// SchedulerName is the file name of a scheduler that was built alone.
const SchedulerName = "kube-scheduler"

// Scheduler builds the scheduler of a version, to be run with a control plane of another, and
// returns the path of the program.
func (b *Builder) Scheduler(ctx context.Context, version Version) (string, error) {
	unlock, err := b.lock(ctx, version)
	if err != nil {
		return "", err
	}
	defer unlock()
	module, err := b.generatedModule(ctx, SchedulerName, version, []byte(schedulerProgram))
	if err != nil {
		return "", err
	}
	_, err = b.buildTarget(ctx, target{
		name: SchedulerName, what: fmt.Sprintf("kube-scheduler %s alone", version), module: module, pkg: ".",
		ldflags: "-s -w" + stampFlags("k8s.io/component-base/version", version) + stampFlags("k8s.io/client-go/pkg/version", version),
	}, b.BinDir(version))
	if err != nil {
		return "", fmt.Errorf("building %s: %w", SchedulerName, err)
	}
	return b.SchedulerPath(version), nil
}

// SchedulerPath is where Scheduler puts the program.
func (b *Builder) SchedulerPath(version Version) string {
	return filepath.Join(b.BinDir(version), SchedulerName)
}

// firstDeviceTaintRules is the first minor version whose scheduler waits for DeviceTaintRules, which
// older API servers do not serve.
const firstDeviceTaintRules = 36

// SchedulerSkewFlags lets a scheduler work with an API server older than itself.
func SchedulerSkewFlags(scheduler, server Version) []string {
	own, _ := strconv.Atoi(scheduler.Minor())
	other, _ := strconv.Atoi(server.Minor())
	if own > other && own >= firstDeviceTaintRules {
		return []string{"--feature-gates=DRADeviceTaintRules=false"}
	}
	return nil
}
