// Package console prints what a person reads while a command runs: one line per step, each with
// the seconds since the command began.
package console

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// Console writes step lines. It is safe for concurrent use.
type Console struct {
	mu    sync.Mutex
	out   io.Writer
	start time.Time
}

// New returns a console whose clock starts now.
func New(out io.Writer) *Console {
	return &Console{out: out, start: time.Now()}
}

// Step prints one line, led by the elapsed seconds.
func (c *Console) Step(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintf(c.out, "%7.2fs  %s\n", time.Since(c.start).Seconds(), fmt.Sprintf(format, args...))
}

// Plain prints one line as it is.
func (c *Console) Plain(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintf(c.out, format+"\n", args...)
}
