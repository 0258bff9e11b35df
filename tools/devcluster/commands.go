package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"korder.dev/devcluster/internal/build"
	"korder.dev/devcluster/internal/gateway"
	"korder.dev/devcluster/internal/instance"
	"korder.dev/devcluster/internal/kubeapi"
)

// runFunc is what a command's definition returns.
type runFunc = func(ctx context.Context, env *environment, args []string) error

var buildCommand = command{
	name: "build",
	summary: `build the programs of one Kubernetes version into the cache
Compiling Kubernetes takes about ten minutes on two cores the first time; later only what changed is built.
Tested: Kubernetes ` + string(build.PinnedVersion) + `, whose Go module is checked in. For any other version the module is generated
into the cache (tried for 1.34.4; not compiled regularly).`,
	define: func(flags *flag.FlagSet) runFunc {
		version := kubeVersionFlag(flags)
		check := flags.Bool("check", false, "build nothing; fail when something would be built")
		node := flags.Bool("node", false, "build what a real node takes, too (a minute or two)")
		return func(ctx context.Context, env *environment, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			if *check {
				return env.check(*version, *node)
			}
			dir, err := env.build(ctx, *version, *node)
			if err == nil {
				env.console.Step("programs are in %s", dir)
			}
			return err
		}
	},
}

var upCommand = command{
	name: "up",
	summary: `start a control plane, and simulated nodes if asked to, or a real one
Builds first what is missing. The instance is ready for pods when the command ends.
A real node (--real) is a kubelet with containers on this machine. It needs root and some Debian packages
(scripts/bootstrap --node) and has no images but those that "devcluster load" puts there.`,
	define: func(flags *flag.FlagSet) runFunc {
		version := kubeVersionFlag(flags)
		var options instance.UpOptions
		flags.StringVar(&options.Name, "name", defaultName, "`name` of the instance; several run side by side")
		flags.IntVar(&options.Port, "port", 0, "`port` of the API server; nine more follow it (default: any free ones)")
		flags.BoolVar(&options.Audit, "audit", false, "record every request (metadata only) in an audit log")
		flags.BoolVar(&options.SchedulerLease, "scheduler-lease", false, "let the scheduler take a leader election lease")
		scheduler := flags.String("scheduler-version", os.Getenv("KORDER_SCHEDULER_VERSION"),
			"Kubernetes `version` of the scheduler, such as 1.34 or 1.37, when it is to be another")
		flags.IntVar(&options.Nodes, "nodes", 0, "`number` of simulated nodes")
		flags.BoolVar(&options.RealNode, "real", false, "start a real node; of the flags for nodes it takes --node-label")
		nodeFlags(flags, &options.NodeSpec)
		return func(ctx context.Context, env *environment, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			return env.up(ctx, *version, *scheduler, options)
		}
	},
}

var loadCommand = command{
	name:    "load",
	args:    "FILE...",
	summary: "put image files, such as scripts/images makes, into the real node of an instance",
	define: func(flags *flag.FlagSet) runFunc {
		name := nameFlag(flags)
		return func(ctx context.Context, env *environment, args []string) error {
			if len(args) == 0 {
				return errors.New("want image files")
			}
			return env.manager.Load(ctx, *name, args)
		}
	},
}

var gatewayCommand = command{
	name:    "gateway",
	args:    "NAMESPACE PORT...",
	summary: "connect ports of 127.0.0.1 with those in a network namespace (a part of every real node)",
	define: func(*flag.FlagSet) runFunc {
		return func(ctx context.Context, _ *environment, args []string) error {
			if len(args) < 2 {
				return errors.New("want a namespace and ports")
			}
			var ports []int
			for _, text := range args[1:] {
				port, err := strconv.Atoi(text)
				if err != nil {
					return err
				}
				ports = append(ports, port)
			}
			return gateway.Run(ctx, args[0], ports)
		}
	},
}

var downCommand = command{
	name:    "down",
	summary: "stop an instance; its logs stay",
	define: func(flags *flag.FlagSet) runFunc {
		name := nameFlag(flags)
		all := flags.Bool("all", false, "stop all instances")
		return func(ctx context.Context, env *environment, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			if *all {
				return env.manager.DownAll(ctx)
			}
			if external, err := instance.FindExternal(); external != nil || err != nil {
				if err == nil {
					env.console.Step("using the cluster of %s, which is left alone", external.Kubeconfig)
				}
				return err
			}
			return env.manager.Down(ctx, *name)
		}
	},
}

var statusCommand = command{
	name:    "status",
	summary: "show instances with their processes, ports and files",
	define: func(flags *flag.FlagSet) runFunc {
		name := flags.String("name", "", "only the instance of this `name` (default: all)")
		output := flags.String("o", "", "`format`: json, or empty for people")
		return func(ctx context.Context, env *environment, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			statuses, err := env.manager.Status(ctx, *name)
			if err != nil {
				return err
			}
			switch *output {
			case "json":
				encoder := json.NewEncoder(os.Stdout)
				encoder.SetIndent("", "  ")
				return encoder.Encode(map[string]any{"instances": statuses})
			case "":
				fmt.Print(instance.FormatStatus(statuses))
				return nil
			}
			return fmt.Errorf("-o %s: only json is known", *output)
		}
	},
}

var kubeconfigCommand = command{
	name:    "kubeconfig",
	summary: "print the path of an instance's kubeconfig",
	define: func(flags *flag.FlagSet) runFunc {
		name := nameFlag(flags)
		return func(_ context.Context, env *environment, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			if external, err := instance.FindExternal(); err != nil {
				return err
			} else if external != nil {
				fmt.Println(external.Kubeconfig)
				return nil
			}
			state, err := env.manager.Store.Load(*name)
			if err != nil {
				return err
			}
			fmt.Println(state.Kubeconfig)
			return nil
		}
	},
}

var binCommand = command{
	name: "bin",
	args: "[PROGRAM]",
	summary: `print the folder of the programs, or the path of one: kubectl, helm, kwok, kubebox
Builds nothing; run "devcluster build" first.`,
	define: func(flags *flag.FlagSet) runFunc {
		version := kubeVersionFlag(flags)
		return func(_ context.Context, env *environment, args []string) error {
			full, err := build.ParseVersion(*version)
			if err != nil {
				return err
			}
			path := (&build.Builder{Cache: env.cache}).BinDir(full)
			switch len(args) {
			case 0:
			case 1:
				path = instance.ProgramPath(path, args[0])
			default:
				return errors.New("at most one program")
			}
			if _, err := os.Stat(path); err != nil {
				return fmt.Errorf("%w: run `devcluster build` first", err)
			}
			fmt.Println(path)
			return nil
		}
	},
}

var restartCommand = command{
	name: "restart",
	args: "COMPONENT",
	summary: `stop one process of an instance and start it again
COMPONENT is etcd, kube-apiserver, kube-controller-manager, kube-scheduler or kwok.`,
	define: func(flags *flag.FlagSet) runFunc {
		name := nameFlag(flags)
		kill := flags.Bool("kill", false, "end it with SIGKILL, as a crash would")
		pause := flags.Duration("pause", 0, "how long it stays away")
		return func(ctx context.Context, env *environment, args []string) error {
			if len(args) != 1 {
				return errors.New("want exactly one component")
			}
			return env.manager.Restart(ctx, *name, args[0], instance.RestartOptions{Kill: *kill, Pause: *pause})
		}
	},
}

var nodesCommand = command{
	name: "nodes",
	args: "add COUNT | remove NAME...",
	summary: `add or remove simulated nodes
New nodes get the first free names among node-000, node-001 and so on.`,
	define: func(flags *flag.FlagSet) runFunc {
		name := nameFlag(flags)
		var spec kubeapi.NodeSpec
		nodeFlags(flags, &spec)
		return func(ctx context.Context, env *environment, args []string) error {
			switch {
			case len(args) == 2 && args[0] == "add":
				var count int
				if _, err := fmt.Sscanf(args[1], "%d", &count); err != nil || count <= 0 {
					return fmt.Errorf("%q is not a number of nodes", args[1])
				}
				return env.manager.AddNodes(ctx, *name, count, spec)
			case len(args) >= 2 && args[0] == "remove":
				return env.manager.RemoveNodes(ctx, *name, args[1:])
			}
			return errors.New("want `nodes add COUNT` or `nodes remove NAME...`")
		}
	},
}

const defaultName = "demo"

func nameFlag(flags *flag.FlagSet) *string {
	return flags.String("name", defaultName, "`name` of the instance")
}

func kubeVersionFlag(flags *flag.FlagSet) *string {
	return flags.String("kube-version", os.Getenv("KORDER_KUBE_VERSION"),
		fmt.Sprintf("Kubernetes `version`, such as 1.35 or 1.34.4 (default %s)", build.PinnedVersion))
}

func nodeFlags(flags *flag.FlagSet, spec *kubeapi.NodeSpec) {
	flags.StringVar(&spec.CPU, "node-cpu", "8", "CPU `quantity` of each node")
	flags.StringVar(&spec.Memory, "node-memory", "32Gi", "memory `quantity` of each node")
	flags.StringVar(&spec.Pods, "node-pods", "110", "`number` of pods that fit on each node")
	spec.Resources = map[string]string{}
	flags.Func("node-resource", "further resource of each node, `name=quantity` (repeatable)", intoMap(spec.Resources))
	spec.Labels = map[string]string{}
	flags.Func("node-label", "label of each node, `key=value` (repeatable)", intoMap(spec.Labels))
}

func intoMap(into map[string]string) func(string) error {
	return func(text string) error {
		key, value, found := strings.Cut(text, "=")
		if !found || key == "" {
			return fmt.Errorf("%q: want key=value", text)
		}
		into[key] = value
		return nil
	}
}

func noArguments(args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("unexpected argument %q", args[0])
	}
	return nil
}

func (e *environment) build(ctx context.Context, version string, realNode bool) (dir string, err error) {
	full, err := build.ParseVersion(version)
	if err != nil {
		return "", err
	}
	builder, err := e.builder()
	if err != nil {
		return "", err
	}
	return builder.Build(ctx, full, realNode)
}

// check fails when something would have to be built.
func (e *environment) check(version string, realNode bool) error {
	full, err := build.ParseVersion(version)
	if err != nil {
		return err
	}
	builder, err := e.builder()
	if err != nil {
		return err
	}
	missing, err := builder.Missing(full, realNode)
	if err == nil && len(missing) > 0 {
		err = fmt.Errorf("missing or out of date for Kubernetes %s: %s", full, strings.Join(missing, ", "))
	}
	return err
}

// otherScheduler builds the scheduler of another version than the control plane's and returns how
// to call it; nothing when it is the same version.
func (e *environment) otherScheduler(ctx context.Context, version, scheduler string) ([]string, error) {
	if scheduler == "" {
		return nil, nil
	}
	server, err := build.ParseVersion(version)
	if err != nil {
		return nil, err
	}
	wanted, err := build.ParseVersion(scheduler)
	if err != nil || wanted == server {
		return nil, err
	}
	builder, err := e.builder()
	if err != nil {
		return nil, err
	}
	program, err := builder.Scheduler(ctx, wanted)
	if err != nil {
		return nil, err
	}
	return append([]string{program}, build.SchedulerSkewFlags(wanted, server)...), nil
}

func (e *environment) up(ctx context.Context, version, scheduler string, options instance.UpOptions) error {
	external, err := instance.FindExternal()
	if err != nil {
		return err
	}
	if external != nil {
		return e.useExternal(ctx, version, external, options)
	}
	if options.BinDir, err = e.build(ctx, version, options.RealNode); err != nil {
		return err
	}
	if options.Scheduler, err = e.otherScheduler(ctx, version, scheduler); err != nil {
		return err
	}
	state, err := e.manager.Up(ctx, options)
	if err != nil {
		return err
	}
	e.console.Plain("\n  export KUBECONFIG=%s PATH=%s:$PATH\n", state.Kubeconfig, options.BinDir)
	if state.AuditLog != "" {
		e.console.Plain("  audit log: %s", state.AuditLog)
	}
	return nil
}

func (e *environment) useExternal(ctx context.Context, version string, external *instance.External, options instance.UpOptions) error {
	full, err := build.ParseVersion(version)
	if err != nil {
		return err
	}
	binDir := filepath.Join(e.cache, "bin", string(full))
	answered, err := external.Check(ctx, binDir)
	if err != nil {
		return err
	}
	e.console.Step("using the cluster of %s (Kubernetes %s); nothing is started", external.Kubeconfig, answered)
	if options.Nodes > 0 {
		e.console.Step("no simulated nodes are added to it (--nodes %d has no effect)", options.Nodes)
	}
	return nil
}
