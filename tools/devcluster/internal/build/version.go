// Package build compiles the programs a cluster is made of out of Go modules.
package build

import (
	"fmt"
	"regexp"
	"sort"
	"strings"
)

// Version is a full Kubernetes version without the leading v, such as 1.35.4.
type Version string

// PinnedVersion is the one whose module is checked in, and so the one that is tested.
const PinnedVersion Version = "1.35.4"

// HelmVersion is a tool dependency of kubebox's module, whose libraries it shares.
const HelmVersion = "3.20.2"

// KwokVersion is pinned by the module kwok.
const KwokVersion = "0.8.0"

// CorednsVersion is pinned by the module coredns.
const CorednsVersion = "1.13.2"

// patches gives the patch release that a minor version stands for.
var patches = map[string]Version{
	"1.34": "1.34.4",
	"1.35": PinnedVersion,
	"1.37": "1.37.2",
}

var (
	minorPattern = regexp.MustCompile(`^1\.[0-9]+$`)
	fullPattern  = regexp.MustCompile(`^1\.[0-9]+\.[0-9]+(-(alpha|beta|rc)\.[0-9]+)?$`)
)

// ParseVersion accepts 1.35, v1.35, 1.35.4 and v1.35.4; empty means the pinned version.
func ParseVersion(text string) (Version, error) {
	text = strings.TrimPrefix(text, "v")
	switch {
	case text == "":
		return PinnedVersion, nil
	case fullPattern.MatchString(text):
		return Version(text), nil
	case minorPattern.MatchString(text):
		if full, known := patches[text]; known {
			return full, nil
		}
		return "", fmt.Errorf("kubernetes %s: give the patch release too (only %s may be short)", text, knownMinors())
	}
	return "", fmt.Errorf("%q is not a Kubernetes version: want 1.35 or 1.35.4", text)
}

// Minor returns the number between the dots.
func (v Version) Minor() string {
	return strings.Split(string(v), ".")[1]
}

// Libraries returns the version under which Kubernetes' libraries of this release are published:
// v0.35.4 for 1.35.4.
func (v Version) Libraries() string {
	return "v0." + strings.TrimPrefix(string(v), "1.")
}

func knownMinors() string {
	var names []string
	for minor := range patches {
		names = append(names, minor)
	}
	sort.Strings(names)
	return strings.Join(names, ", ")
}
