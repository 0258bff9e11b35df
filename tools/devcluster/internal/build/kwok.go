package build

import (
	"context"
	"os"
	"path/filepath"
	"strings"
)

// kwokStages are files of kwok's own module. The program has none built in, and without them its
// nodes never get Ready and its pods never run. "fast" means without made-up delays.
var kwokStages = []string{
	"node/fast/node-initialize.yaml",
	"node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
	"pod/fast/pod-ready.yaml",
	"pod/fast/pod-complete.yaml",
	"pod/fast/pod-delete.yaml",
}

// writeKwokConfig puts our options and kwok's stages into one file beside the program.
func (b *Builder) writeKwokConfig(ctx context.Context, binDir string) error {
	module := filepath.Join(b.Source, "kwok")
	options, err := os.ReadFile(filepath.Join(module, "options.yaml"))
	if err != nil {
		return err
	}
	out, err := b.goOutput(ctx, module, "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/kwok")
	if err != nil {
		return err
	}
	stages := filepath.Join(strings.TrimSpace(string(out)), "kustomize", "stage")
	documents := []string{strings.TrimSpace(string(options))}
	for _, name := range kwokStages {
		stage, err := os.ReadFile(filepath.Join(stages, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		documents = append(documents, strings.TrimSpace(string(stage)))
	}
	config := strings.Join(documents, "\n---\n") + "\n"
	return os.WriteFile(filepath.Join(binDir, "kwok.yaml"), []byte(config), 0o644)
}
