// Package gateway lets programs of this machine reach the servers of a network namespace: what connects to a port of
// 127.0.0.1 here is connected to the same port of 127.0.0.1 there. So one kubeconfig serves inside and outside, and
// nothing of the machine's own network is changed.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
)

// Run listens on the ports until the context ends. The namespace is a file such as /proc/123/ns/net.
func Run(ctx context.Context, namespace string, ports []int) error {
	inside, err := os.Open(namespace)
	if err != nil {
		return err
	}
	defer inside.Close()
	dial := func(port int) (net.Conn, error) { return dialInside(inside, port) }
	var listeners []net.Listener
	defer func() {
		for _, listener := range listeners {
			listener.Close()
		}
	}()
	for _, port := range ports {
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return err
		}
		listeners = append(listeners, listener)
		go serve(listener, port, dial)
	}
	<-ctx.Done()
	return nil
}

func serve(listener net.Listener, port int, dial func(port int) (net.Conn, error)) {
	for {
		client, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		go func() {
			defer client.Close()
			server, err := dial(port)
			if err != nil {
				return // the client sees its connection closed, as it would with nobody listening
			}
			defer server.Close()
			join(client, server)
		}()
	}
}

// join copies both ways until both sides have said all.
func join(client, server net.Conn) {
	var both sync.WaitGroup
	for _, pair := range [][2]net.Conn{{client, server}, {server, client}} {
		both.Add(1)
		go func() {
			defer both.Done()
			_, _ = io.Copy(pair[0], pair[1])
			if half, ok := pair[0].(*net.TCPConn); ok {
				_ = half.CloseWrite()
			}
		}()
	}
	both.Wait()
}

// dialInside connects from within the namespace. A socket belongs to the namespace of the thread that made it. The
// thread is never unlocked, so it ends with its goroutine and cannot do anybody else's work in there.
func dialInside(namespace *os.File, port int) (net.Conn, error) {
	type result struct {
		conn net.Conn
		err  error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread()
		if _, _, errno := syscall.RawSyscall(sysSetns, namespace.Fd(), syscall.CLONE_NEWNET, 0); errno != 0 {
			done <- result{err: fmt.Errorf("entering the network namespace: %w", errno)}
			return
		}
		conn, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		done <- result{conn, err}
	}()
	r := <-done
	return r.conn, r.err
}
