package build

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"time"
)

// progressInterval is how often a long build says that it still goes on.
const progressInterval = 15 * time.Second

// goCommand prepares a call of go with the environment every build shares.
func goCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	return cmd
}

// goOutput returns what a call of go prints; its error carries what the call complained about.
func (b *Builder) goOutput(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := goCommand(ctx, dir, args...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, lastLines(complaint.String(), 10))
	}
	return out, nil
}

// runWithProgress runs a build and reports now and then how far it is.
func (b *Builder) runWithProgress(ctx context.Context, t target, args []string) error {
	b.Console.Step("building %s: %s", t.name, t.what)
	cmd := goCommand(ctx, t.module, args...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	var p progress
	read := make(chan struct{})
	go func() {
		p.follow(stderr)
		close(read)
	}()
	ticker := time.NewTicker(progressInterval)
	defer ticker.Stop()
	for done := false; !done; {
		select {
		case <-read:
			done = true
		case <-ticker.C:
			b.Console.Step("building %s: %s", t.name, p.summary())
		}
	}
	if err := cmd.Wait(); err != nil {
		if ctx.Err() != nil {
			return errors.New("interrupted; what has been compiled so far is kept")
		}
		return fmt.Errorf("%w\n%s", err, p.complaints())
	}
	b.Console.Step("built %s in %.0f s", t.name, time.Since(start).Seconds())
	return nil
}

// progress understands the standard error of `go build -v`: one line per module downloaded, one
// per package compiled, and what the compiler complains about.
type progress struct {
	mu         sync.Mutex
	downloaded int
	compiled   int
	other      []string
}

var packagePattern = regexp.MustCompile(`^[a-zA-Z0-9._~/-]+$`)

func (p *progress) follow(stderr io.Reader) {
	lines := bufio.NewScanner(stderr)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		p.line(lines.Text())
	}
	// A line beyond the buffer ends the scan; the rest must still be read, or go would block.
	_, _ = io.Copy(io.Discard, stderr)
}

func (p *progress) line(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case strings.HasPrefix(line, "go: downloading "):
		p.downloaded++
	case packagePattern.MatchString(line):
		p.compiled++
	default:
		p.other = append(p.other, line)
	}
}

func (p *progress) summary() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.compiled == 0 && p.downloaded == 0:
		return "linking, or reading the build cache"
	case p.compiled == 0:
		return fmt.Sprintf("%d modules downloaded", p.downloaded)
	}
	return fmt.Sprintf("%d packages compiled", p.compiled)
}

func (p *progress) complaints() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return lastLines(strings.Join(p.other, "\n"), 20)
}

func lastLines(text string, count int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-count):], "\n")
}
