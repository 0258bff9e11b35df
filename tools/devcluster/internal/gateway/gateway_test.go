package gateway

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener
}

// exchange says something, closes its half and returns the whole answer.
func exchange(t *testing.T, address string) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	conn.(*net.TCPConn).CloseWrite()
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

func TestBothDirectionsAreCopiedUntilBothHaveEnded(t *testing.T) {
	server, entrance := listen(t), listen(t)
	go func() {
		for {
			conn, err := server.Accept()
			if err != nil {
				return
			}
			heard, _ := io.ReadAll(conn) // ends only if the client's end of speech gets through
			conn.Write(append([]byte("you said "), heard...))
			conn.Close()
		}
	}()
	go serve(entrance, 7, func(port int) (net.Conn, error) {
		if port != 7 {
			t.Errorf("asked for port %d", port)
		}
		return net.Dial("tcp", server.Addr().String())
	})
	for range 3 {
		if got := exchange(t, entrance.Addr().String()); got != "you said hello" {
			t.Errorf("answer %q", got)
		}
	}
}

func TestAConnectionEndsWhenNobodyListensInside(t *testing.T) {
	entrance := listen(t)
	go serve(entrance, 1, func(int) (net.Conn, error) { return nil, errors.New("refused") })
	conn, err := net.Dial("tcp", entrance.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("read ended with %v, want the end", err)
	}
}

func TestRunFailsWithoutANamespaceOrWithATakenPort(t *testing.T) {
	if err := Run(context.Background(), "/proc/self/ns/no-such", []int{0}); err == nil {
		t.Error("it ran without a namespace")
	}
	taken := listen(t).Addr().(*net.TCPAddr).Port
	if err := Run(context.Background(), "/proc/self/ns/net", []int{taken}); err == nil {
		t.Error("it ran on a port that is taken")
	}
}
