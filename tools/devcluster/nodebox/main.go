// Command nodebox is kubelet and kube-proxy in one binary, for the real node. A module apart from kubebox, so that who
// only simulates nodes compiles none of it; it names the same versions, so that what both need is compiled once.
//
// The component is the first argument:
//
//	nodebox kubelet --config=kubelet.yaml ...
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// components are constructed one per process, since each registers global flags and feature gates.
var components = map[string]func() *cobra.Command{
	"kubelet":    func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) },
	"kube-proxy": proxy.NewProxyCommand,
}

func main() {
	if len(os.Args) < 2 || components[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: nodebox kubelet|kube-proxy [FLAGS]")
		os.Exit(2)
	}
	make := components[os.Args[1]]
	os.Args = os.Args[1:]
	os.Exit(cli.Run(make()))
}
