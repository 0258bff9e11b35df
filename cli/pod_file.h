// Pods in a file, and those that the workloads in it would make. Pure.
//
//   ASSIGN_OR_RETURN(const PodFile file, ReadPodFile(text, {.ns = "shop"}));
//   for (const PodItem& item : file.items) { ... item.kind, item.name, item.pod_json ... }
#pragma once

#include <string>
#include <vector>

#include "base/status.h"

namespace korder::cli {

// A pod, or the pods of one workload, which are all alike.
struct PodItem {
  std::string kind;  // "Deployment"
  std::string ns;
  std::string name;
  std::string pod_json;  // core/v1 Pod

  bool operator==(const PodItem&) const = default;
};

struct PodFile {
  std::vector<PodItem> items;
  // Objects that make no pods: "ConfigMap settings".
  std::vector<std::string> skipped;
};

struct PodFileOptions {
  std::string source = "-";  // for messages
  std::string ns;            // asked for: every object must be in it
  std::string default_ns;    // of objects that name none
};

// YAML or JSON, several documents and lists, too. A workload is what has a pod template where
// Kubernetes' own kinds have it. INVALID_ARGUMENT also when there is neither.
absl::StatusOr<PodFile> ReadPodFile(const std::string& text, const PodFileOptions& options);

}  // namespace korder::cli
