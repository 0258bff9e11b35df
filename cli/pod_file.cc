#include "cli/pod_file.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "cli/manifest.h"
#include "json/fields.h"

namespace korder::cli {
namespace {

// What a template or a pod is made of, as text, so that nothing is lost.
struct Body {
  json::RawValue metadata;
  json::RawValue spec;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v.Constant("apiVersion", "v1");
    v.Constant("kind", "Pod");
    v("metadata", self.metadata);
    v("spec", self.spec);
  }
};

struct WorkloadSpec {
  std::optional<Body> pods;  // Deployment, StatefulSet, Job...

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("template", self.pods);
  }
};

struct CronJobTemplate {
  WorkloadSpec spec;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("spec", self.spec);
  }
};

struct CronJobSpec {
  CronJobTemplate job;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("jobTemplate", self.job);
  }
};

// The pods that a workload makes; nothing when it is none.
absl::StatusOr<std::optional<Body>> TemplateOf(const Manifest& manifest) {
  if (manifest.spec.text.empty() || manifest.spec.text.front() != '{' ||
      manifest.api_version.starts_with("core.korder.dev/")) {
    return std::optional<Body>();
  }
  if (manifest.kind == "CronJob") {
    CronJobSpec spec;
    RETURN_IF_ERROR(Annotate(json::Parse(manifest.spec.text, spec), "spec"));
    return std::move(spec.job.spec.pods);
  }
  WorkloadSpec spec;
  RETURN_IF_ERROR(Annotate(json::Parse(manifest.spec.text, spec), "spec"));
  return std::move(spec.pods);
}

class FileReader {
 public:
  explicit FileReader(const PodFileOptions& options) : options_(options) {}

  absl::Status Add(const Manifest& manifest) {
    PodItem item{.kind = manifest.kind, .ns = {}, .name = manifest.Name(), .pod_json = {}};
    if (manifest.Is("v1", "Pod")) {
      item.pod_json = manifest.json;
    } else {
      ASSIGN_OR_RETURN(const std::optional<Body> pods, TemplateOf(manifest));
      if (!pods) {
        file_.skipped.push_back(manifest.Title());
        return absl::OkStatus();
      }
      item.pod_json = json::Print(*pods);
    }
    ASSIGN_OR_RETURN(item.ns, manifest.Namespace(options_.ns, options_.default_ns));
    file_.items.push_back(std::move(item));
    return absl::OkStatus();
  }
  PodFile Take() { return std::move(file_); }

 private:
  const PodFileOptions& options_;
  PodFile file_;
};

}  // namespace

absl::StatusOr<PodFile> ReadPodFile(const std::string& text, const PodFileOptions& options) {
  FileReader reader(options);
  RETURN_IF_ERROR(ReadManifests(text, options.source,
                                [&](const Manifest& manifest) { return reader.Add(manifest); }));
  PodFile file = reader.Take();
  if (file.items.empty()) {
    return InvalidArgumentError(absl::StrCat(
        SourceName(options.source), ": there is no Pod in it, and nothing that makes pods"));
  }
  return file;
}

}  // namespace korder::cli
