package process

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func start(t *testing.T, script string) (Identity, <-chan error, string) {
	t.Helper()
	log := filepath.Join(t.TempDir(), "log")
	id, exited, err := Start(Command{Argv: []string{"/bin/sh", "-c", script}, Env: []string{"GREETING=hello"}, LogPath: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = id.Kill() })
	return id, exited, log
}

// waitForLog returns once the log holds the text, so that a test knows how far a script is.
func waitForLog(t *testing.T, log, text string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		raw, _ := os.ReadFile(log)
		if strings.Contains(string(raw), text) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no %q in the log: %q", text, raw)
		}
	}
}

func TestParseStatSurvivesStrangeProgramNames(t *testing.T) {
	tail := "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 987654 20 21"
	for _, name := range []string{"sh", "a b", "x) Z 1 (y", ""} {
		got, err := parseStat(fmt.Appendf(nil, "77 (%s) %s\n", name, tail))
		if err != nil || got.state != "S" || got.startTicks != 987654 {
			t.Errorf("name %q: %+v, %v", name, got, err)
		}
	}
	for _, text := range []string{"", "77 (sh) S 1 2", "no parentheses"} {
		if _, err := parseStat([]byte(text)); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}

func TestAProcessIsAliveUntilStopped(t *testing.T) {
	id, _, _ := start(t, "exec sleep 60")
	if !id.Alive() {
		t.Fatal("not alive after the start")
	}
	killed, err := id.Stop(10 * time.Second)
	if killed || err != nil {
		t.Errorf("killed %t, %v", killed, err)
	}
	if id.Alive() {
		t.Error("alive after the stop")
	}
}

func TestAProcessThatIgnoresTheRequestIsKilled(t *testing.T) {
	id, _, log := start(t, `trap "" TERM; echo ready; while :; do sleep 1; done`)
	waitForLog(t, log, "ready")
	killed, err := id.Stop(100 * time.Millisecond)
	if !killed || err != nil || id.Alive() {
		t.Errorf("killed %t, %v, alive %t", killed, err, id.Alive())
	}
}

func TestAnotherProcessWithTheSamePidIsLeftAlone(t *testing.T) {
	id, _, _ := start(t, "exec sleep 60")
	impostor := Identity{Pid: id.Pid, StartTicks: id.StartTicks + 1}
	if impostor.Alive() {
		t.Error("a process with another start time passed for ours")
	}
	if err := impostor.Kill(); err != nil {
		t.Error(err)
	}
	if !id.Alive() {
		t.Error("the process was killed under the wrong identity")
	}
}

func TestTheExitIsReportedAndTheOutputLogged(t *testing.T) {
	_, exited, log := start(t, `echo "$GREETING from the script"; echo "HOME=$HOME"; exit 7`)
	select {
	case err := <-exited:
		if err == nil || !strings.Contains(err.Error(), "exit status 7") {
			t.Errorf("exit: %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("no exit was reported")
	}
	if text := Tail(log, 2); text != "hello from the script\nHOME=" {
		t.Errorf("log: %q (nothing may be inherited)", text)
	}
}

func TestTailGivesTheLastLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte("one\ntwo\nthree\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if text := Tail(path, 2); text != "two\nthree" {
		t.Errorf("%q", text)
	}
	if text := Tail(path, 9); text != "one\ntwo\nthree" {
		t.Errorf("%q", text)
	}
}
