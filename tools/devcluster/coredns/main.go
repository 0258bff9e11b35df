// Command coredns is CoreDNS with the few plugins that the real node needs: Services by name, errors in the log, and
// whether it is ready. A module of its own, because it wants other versions of the Kubernetes libraries than kubebox.
package main

import (
	"github.com/coredns/coredns/coremain"

	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/ready"
)

func main() { coremain.Run() }
