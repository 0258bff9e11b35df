package instance

import (
	"net"
	"strings"
	"testing"
)

func allFree(int) bool { return true }

func TestAllocateGivesInstancesDifferentPortsAndAddresses(t *testing.T) {
	var taken []Claim
	ports := map[int]bool{}
	ranges := map[string]bool{}
	for range slotCount {
		claim, err := Allocate(taken, 0, allFree)
		if err != nil {
			t.Fatal(err)
		}
		for _, port := range claim.Ports.all() {
			if ports[port] {
				t.Fatalf("port %d was given twice", port)
			}
			ports[port] = true
		}
		if ranges[claim.Slot.ServiceCIDR()] {
			t.Fatalf("%s was given twice", claim.Slot.ServiceCIDR())
		}
		ranges[claim.Slot.ServiceCIDR()] = true
		taken = append(taken, claim)
	}
	if _, err := Allocate(taken, 0, allFree); err == nil {
		t.Error("a slot was found although all are taken")
	}
}

func TestAllocateSkipsPortsThatSomebodyListensOn(t *testing.T) {
	busy := PortsFrom(firstPort).Scheduler
	claim, err := Allocate(nil, 0, func(port int) bool { return port != busy })
	if err != nil {
		t.Fatal(err)
	}
	if claim.Slot != 1 {
		t.Errorf("slot %d, want 1", claim.Slot)
	}
}

func TestAllocateReusesAFreedSlot(t *testing.T) {
	taken := []Claim{{Slot: 0, Ports: PortsFrom(firstPort)}, {Slot: 2, Ports: PortsFrom(firstPort + 20)}}
	claim, err := Allocate(taken, 0, allFree)
	if err != nil || claim.Slot != 1 {
		t.Errorf("got %+v, %v; want slot 1", claim, err)
	}
}

func TestAllocateTakesTheWantedPort(t *testing.T) {
	taken := []Claim{{Slot: 0, Ports: PortsFrom(firstPort)}}
	claim, err := Allocate(taken, 7000, allFree)
	if err != nil || claim.Ports.APIServer != 7000 || claim.Slot != 1 {
		t.Errorf("got %+v, %v; want port 7000 in slot 1", claim, err)
	}
	if _, err := Allocate([]Claim{claim}, 7003, allFree); err == nil {
		t.Error("ports that overlap another instance's were given")
	}
	_, err = Allocate(nil, 7000, func(port int) bool { return port != 7002 })
	if err == nil || !strings.Contains(err.Error(), "7002") {
		t.Errorf("got error %v, want one that names port 7002", err)
	}
}

func TestServiceRangesAreLoopbackAndHoldTheirFirstAddress(t *testing.T) {
	for slot := Slot(0); slot < slotCount; slot++ {
		_, network, err := net.ParseCIDR(slot.ServiceCIDR())
		if err != nil {
			t.Fatal(err)
		}
		if !network.Contains(slot.ServiceAddress()) || !slot.ServiceAddress().IsLoopback() {
			t.Errorf("slot %d: %s, %s", slot, network, slot.ServiceAddress())
		}
	}
}

func TestPortFreeSeesAListener(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if portFree(port) {
		t.Error("a port with a listener counts as free")
	}
	listener.Close()
	if !portFree(port) {
		t.Error("the port is not free after its listener closed")
	}
}
