package instance

import (
	"errors"
	"fmt"
	"net"
)

// slotCount is how many instances fit side by side.
const slotCount = 64

// firstPort is below the range from which the kernel takes ports for outgoing connections.
const firstPort = 16443

// Slot numbers what instances may not share: ports, and the range of Service addresses.
type Slot int

// ServiceCIDR is a range of loopback addresses. A Service with a fixed clusterIP in it works
// without kube-proxy as soon as its server listens on that very address.
func (s Slot) ServiceCIDR() string {
	return fmt.Sprintf("127.%d.0.0/16", 96+int(s))
}

// ServiceAddress is the first of the range, which the Service "kubernetes" gets.
func (s Slot) ServiceAddress() net.IP {
	return net.IPv4(127, byte(96+int(s)), 0, 1)
}

// Ports are those of one instance, all on 127.0.0.1.
type Ports struct {
	APIServer         int `json:"kube-apiserver"`
	Etcd              int `json:"etcd"`
	EtcdPeer          int `json:"etcdPeer"`
	ControllerManager int `json:"kube-controller-manager"`
	Scheduler         int `json:"kube-scheduler"`
	Kwok              int `json:"kwok"`
	Containerd        int `json:"containerd"`
	Kubelet           int `json:"kubelet"`
	KubeProxy         int `json:"kube-proxy"`
	CoreDNS           int `json:"coredns"`
}

// PortsFrom gives the ten ports that begin with the API server's. The last four are a real node's.
func PortsFrom(first int) Ports {
	return Ports{
		APIServer: first, Etcd: first + 1, EtcdPeer: first + 2,
		ControllerManager: first + 3, Scheduler: first + 4, Kwok: first + 5,
		Containerd: first + 6, Kubelet: first + 7, KubeProxy: first + 8, CoreDNS: first + 9,
	}
}

func (p Ports) all() []int {
	return []int{
		p.APIServer, p.Etcd, p.EtcdPeer, p.ControllerManager, p.Scheduler, p.Kwok,
		p.Containerd, p.Kubelet, p.KubeProxy, p.CoreDNS,
	}
}

func (p Ports) overlaps(other Ports) bool {
	for _, mine := range p.all() {
		for _, theirs := range other.all() {
			if mine == theirs {
				return true
			}
		}
	}
	return false
}

// Claim is what an instance holds.
type Claim struct {
	Slot  Slot  `json:"slot"`
	Ports Ports `json:"ports"`
}

// Allocate finds a slot and ports that no other instance holds and nobody listens on.
// wantedPort is the API server's, or 0 for any.
func Allocate(taken []Claim, wantedPort int, portFree func(port int) bool) (Claim, error) {
	for slot := Slot(0); slot < slotCount; slot++ {
		first := firstPort + 10*int(slot)
		if wantedPort != 0 {
			first = wantedPort
		}
		claim := Claim{Slot: slot, Ports: PortsFrom(first)}
		if slotTaken(slot, taken) {
			continue
		}
		busy := claim.firstBusyPort(taken, portFree)
		if busy == 0 {
			return claim, nil
		}
		if wantedPort != 0 {
			return Claim{}, fmt.Errorf("port %d is taken (--port %d needs ten ports from there on)", busy, wantedPort)
		}
	}
	return Claim{}, errors.New("no free slot: stop instances with `devcluster down`")
}

func slotTaken(slot Slot, taken []Claim) bool {
	for _, other := range taken {
		if other.Slot == slot {
			return true
		}
	}
	return false
}

// firstBusyPort returns the first port that somebody else has, or 0.
func (c Claim) firstBusyPort(taken []Claim, portFree func(port int) bool) int {
	for _, other := range taken {
		if c.Ports.overlaps(other.Ports) {
			return c.Ports.APIServer
		}
	}
	for _, port := range c.Ports.all() {
		if !portFree(port) {
			return port
		}
	}
	return 0
}

// portFree tells whether a server could listen on the loopback port now.
func portFree(port int) bool {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	listener.Close()
	return true
}
