// Command kubebox is the Kubernetes control plane, etcd and kubectl in one binary. One link step
// and one file on disk instead of five; the components share almost all of their code.
//
// The component to run is the base name of argv[0] (so a link named kubectl is kubectl) or else
// the first argument:
//
//	kubebox kube-apiserver --secure-port=6443 ...
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	_ "time/tzdata"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	kcm "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

// components maps each name to a function that runs it and returns the exit code. Only one may be
// constructed in a process, since each registers global flags and feature gates.
var components = map[string]func() int{
	"etcd": func() int {
		etcdmain.Main(os.Args)
		return 0
	},
	"kube-apiserver":          func() int { return cli.Run(apiserver.NewAPIServerCommand()) },
	"kube-controller-manager": func() int { return cli.Run(kcm.NewControllerManagerCommand()) },
	"kube-scheduler":          func() int { return cli.Run(scheduler.NewSchedulerCommand()) },
	"kubectl":                 func() int { return runKubectl(kubectl.NewDefaultKubectlCommand()) },
}

// runKubectl reports errors the way kubectl itself does ("Error from server ...", exit code 1)
// instead of the way the server components do.
func runKubectl(command *cobra.Command) int {
	if err := cli.RunNoErrOutput(command); err != nil {
		kubectlutil.CheckErr(err)
	}
	return 0
}

func main() {
	name, args := filepath.Base(os.Args[0]), os.Args[1:]
	if components[name] == nil && len(args) > 0 {
		name, args = args[0], args[1:]
	}
	run, known := components[name]
	if !known {
		var names []string
		for n := range components {
			names = append(names, n)
		}
		slices.Sort(names)
		fmt.Fprintf(os.Stderr, "usage: kubebox COMPONENT [FLAGS], where COMPONENT is one of %s\n", strings.Join(names, ", "))
		os.Exit(2)
	}
	os.Args = append([]string{name}, args...)
	os.Exit(run())
}
