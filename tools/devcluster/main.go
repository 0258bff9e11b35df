// Command devcluster runs real Kubernetes control planes with simulated nodes on one machine,
// without containers and without privileges. See README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"korder.dev/devcluster/internal/build"
	"korder.dev/devcluster/internal/console"
	"korder.dev/devcluster/internal/instance"
	"korder.dev/devcluster/internal/layout"
)

// command is one subcommand. define adds its flags and returns what runs it with the arguments
// that are not flags.
type command struct {
	name    string
	args    string // of the usage line
	summary string
	define  func(flags *flag.FlagSet) func(ctx context.Context, env *environment, args []string) error
}

// environment is what the commands share.
type environment struct {
	console *console.Console
	cache   string
	manager *instance.Manager
}

var commands = []command{
	buildCommand, upCommand, loadCommand, downCommand, statusCommand, kubeconfigCommand, binCommand, restartCommand, nodesCommand,
	gatewayCommand,
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "devcluster:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 || slices.Contains([]string{"help", "--help", "-help", "-h"}, args[0]) {
		fmt.Print(usage())
		return nil
	}
	for _, c := range commands {
		if c.name != args[0] {
			continue
		}
		flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
		flags.SetOutput(io.Discard)
		execute := c.define(flags)
		rest, err := parseMixed(flags, args[1:])
		if errors.Is(err, flag.ErrHelp) {
			printHelp(c, flags)
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w; see `devcluster %s --help`", err, c.name)
		}
		env, err := newEnvironment()
		if err != nil {
			return err
		}
		return execute(ctx, env, rest)
	}
	return fmt.Errorf("no command %q\n\n%s", args[0], usage())
}

// parseMixed parses flags before, between and after the other arguments.
func parseMixed(flags *flag.FlagSet, args []string) (rest []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return rest, nil
		}
		rest = append(rest, flags.Arg(0))
		args = flags.Args()[1:]
	}
}

func newEnvironment() (*environment, error) {
	cache, err := layout.Cache()
	if err != nil {
		return nil, err
	}
	clusters := filepath.Join(cache, "clusters")
	if err := os.MkdirAll(clusters, 0o755); err != nil {
		return nil, err
	}
	c := console.New(os.Stdout)
	return &environment{
		console: c,
		cache:   cache,
		manager: &instance.Manager{Store: instance.Store{Dir: clusters}, Console: c},
	}, nil
}

func (e *environment) builder() (*build.Builder, error) {
	source, err := layout.Source()
	if err != nil {
		return nil, err
	}
	return &build.Builder{Cache: e.cache, Source: source, Console: e.console}, nil
}

func usage() string {
	var text strings.Builder
	text.WriteString("devcluster runs real Kubernetes control planes with simulated nodes on this machine.\n\n")
	text.WriteString("usage: devcluster COMMAND [flags]\n\n")
	for _, c := range commands {
		fmt.Fprintf(&text, "  %-11s %s\n", c.name, firstLine(c.summary))
	}
	text.WriteString("\n`devcluster COMMAND --help` lists the flags of a command.\n\nEnvironment:\n")
	text.WriteString(environmentHelp)
	return text.String()
}

func printHelp(c command, flags *flag.FlagSet) {
	words := []string{"usage: devcluster", c.name, "[flags]", c.args}
	fmt.Printf("%s\n\n%s\n\nflags:\n", strings.TrimSpace(strings.Join(words, " ")), c.summary)
	flags.SetOutput(os.Stdout)
	flags.PrintDefaults()
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

const environmentHelp = `  KORDER_CACHE          where everything is kept (default: ${XDG_CACHE_HOME:-$HOME/.cache}/korder)
  KORDER_KUBE_VERSION   the Kubernetes version, like --kube-version
  KORDER_USE_CLUSTER=1  together with KUBECONFIG: use that cluster and start none
  KUBEBUILDER_ASSETS    take etcd, kube-apiserver and kubectl from this folder
`
