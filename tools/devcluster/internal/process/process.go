// Package process starts long-lived child processes that survive this one, and stops them later by
// identity: a pid together with the moment its process started, so that a number which the kernel
// gave to somebody else in the meantime is never signalled.
package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Identity names one process for as long as the machine is up.
type Identity struct {
	Pid int `json:"pid"`
	// StartTicks is field 22 of /proc/<pid>/stat: clock ticks between boot and the start.
	StartTicks uint64 `json:"startTicks"`
}

// Command is what to run.
type Command struct {
	Argv []string
	// Env is the whole environment; nothing is inherited.
	Env []string
	// LogPath receives standard output and standard error; it is appended to.
	LogPath string
}

// Start runs the command in a session of its own. The channel receives the exit once, if the
// process ends while this one still lives.
func Start(command Command) (Identity, <-chan error, error) {
	log, err := os.OpenFile(command.LogPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return Identity{}, nil, err
	}
	defer log.Close()
	cmd := exec.Command(command.Argv[0], command.Argv[1:]...)
	cmd.Env = append([]string{}, command.Env...) // nil would mean: inherit
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return Identity{}, nil, err
	}
	id := Identity{Pid: cmd.Process.Pid}
	// The child cannot vanish from /proc before Wait reaps it, so this cannot race with its exit.
	stat, err := readStat(id.Pid)
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return Identity{}, nil, err
	}
	id.StartTicks = stat.startTicks
	exited := make(chan error, 1)
	go func() {
		if err := cmd.Wait(); err != nil {
			exited <- err
		} else {
			exited <- errors.New("exit status 0")
		}
	}()
	return id, exited, nil
}

// Alive reports whether that very process still runs. A zombie does not.
func (id Identity) Alive() bool {
	if id.Pid <= 0 {
		return false
	}
	stat, err := readStat(id.Pid)
	return err == nil && stat.startTicks == id.StartTicks && stat.state != "Z" && stat.state != "X"
}

// Signal sends a signal to the process if it still is the one that was started.
func (id Identity) Signal(signal syscall.Signal) error {
	if !id.Alive() {
		return nil
	}
	if err := syscall.Kill(id.Pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("signal %v to pid %d: %w", signal, id.Pid, err)
	}
	return nil
}

// Stop asks the process to end, and kills it when it has not done so after the grace time. It
// returns when the process is gone, so that its ports are free again; killed tells which it was.
func (id Identity) Stop(grace time.Duration) (killed bool, err error) {
	if err := id.Signal(syscall.SIGTERM); err != nil {
		return false, err
	}
	if id.waitGone(grace) {
		return false, nil
	}
	return true, id.Kill()
}

// Kill ends the process at once and returns when it is gone.
func (id Identity) Kill() error {
	if err := id.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	if !id.waitGone(10 * time.Second) {
		return fmt.Errorf("pid %d is still there after SIGKILL", id.Pid)
	}
	return nil
}

func (id Identity) waitGone(limit time.Duration) bool {
	for deadline := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		if !id.Alive() {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
	}
}

// Tail returns the last lines of a log file.
func Tail(path string, lines int) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

type stat struct {
	state      string
	startTicks uint64
}

func readStat(pid int) (stat, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return stat{}, err
	}
	return parseStat(text)
}

// parseStat reads state and start time (fields 3 and 22). The second field, the program's name in
// parentheses, may itself hold spaces and parentheses, so counting begins behind its end.
func parseStat(text []byte) (stat, error) {
	end := bytes.LastIndexByte(text, ')')
	fields := strings.Fields(string(text[end+1:]))
	if end < 0 || len(fields) < 20 {
		return stat{}, fmt.Errorf("unexpected /proc stat line %q", text)
	}
	ticks, err := strconv.ParseUint(fields[19], 10, 64)
	if err != nil {
		return stat{}, fmt.Errorf("start time in /proc stat: %w", err)
	}
	return stat{state: fields[0], startTicks: ticks}, nil
}
