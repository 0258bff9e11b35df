package main

import (
	"flag"
	"io"
	"reflect"
	"testing"

	"korder.dev/devcluster/internal/kubeapi"
)

func TestFlagsMayStandBetweenOtherArguments(t *testing.T) {
	flags := flag.NewFlagSet("x", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	name := flags.String("name", "demo", "")
	kill := flags.Bool("kill", false, "")
	rest, err := parseMixed(flags, []string{"--name=a", "kwok", "--kill", "more", "--name", "b"})
	if err != nil || !reflect.DeepEqual(rest, []string{"kwok", "more"}) || *name != "b" || !*kill {
		t.Errorf("rest %v, name %s, kill %t, %v", rest, *name, *kill, err)
	}
	if _, err := parseMixed(flags, []string{"kwok", "--unknown"}); err == nil {
		t.Error("an unknown flag behind an argument was accepted")
	}
}

func TestNodeFlagsCollectLabelsAndResources(t *testing.T) {
	flags := flag.NewFlagSet("x", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	var spec kubeapi.NodeSpec
	nodeFlags(flags, &spec)
	_, err := parseMixed(flags, []string{"--node-label", "a=b", "--node-label=c=d=e", "--node-resource", "nvidia.com/gpu=4", "--node-cpu", "2"})
	want := kubeapi.NodeSpec{
		CPU: "2", Memory: "32Gi", Pods: "110",
		Labels: map[string]string{"a": "b", "c": "d=e"}, Resources: map[string]string{"nvidia.com/gpu": "4"},
	}
	if err != nil || !reflect.DeepEqual(spec, want) {
		t.Errorf("got %+v, %v; want %+v", spec, err, want)
	}
	for _, wrong := range []string{"a", "=b"} {
		if err := flags.Parse([]string{"--node-label", wrong}); err == nil {
			t.Errorf("label %q was accepted", wrong)
		}
	}
}

func TestEveryCommandHasASummaryAndParsesNoArguments(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range commands {
		if seen[c.name] || c.summary == "" {
			t.Errorf("command %q is a duplicate or has no summary", c.name)
		}
		seen[c.name] = true
		flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
		c.define(flags)
		if err := flags.Parse(nil); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
