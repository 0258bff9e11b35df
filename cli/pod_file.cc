#include "cli/pod_file.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "api/meta/object_meta.h"
#include "base/status_macros.h"
#include "json/fields.h"
#include "kube/yaml_json.h"

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

struct Header {
  std::string api_version;
  std::string kind;
  api::ObjectMeta metadata;
  json::RawValue spec;
  std::vector<json::RawValue> items;  // of a list

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("apiVersion", self.api_version);
    v("kind", self.kind);
    v("metadata", self.metadata);
    v("spec", self.spec);
    v("items", self.items);
  }
};

std::string NameOf(const api::ObjectMeta& metadata) {
  if (!metadata.name.empty()) {
    return metadata.name;
  }
  return metadata.generate_name.empty() ? "(no name)" : metadata.generate_name + "*";
}

// The pods that a workload makes; nothing when it is none.
absl::StatusOr<std::optional<Body>> TemplateOf(const Header& header) {
  if (header.spec.text.empty() || header.spec.text.front() != '{' ||
      header.api_version.starts_with("core.korder.dev/")) {
    return std::optional<Body>();
  }
  if (header.kind == "CronJob") {
    CronJobSpec spec;
    RETURN_IF_ERROR(Annotate(json::Parse(header.spec.text, spec), "spec"));
    return std::move(spec.job.spec.pods);
  }
  WorkloadSpec spec;
  RETURN_IF_ERROR(Annotate(json::Parse(header.spec.text, spec), "spec"));
  return std::move(spec.pods);
}

class FileReader {
 public:
  explicit FileReader(const PodFileOptions& options) : options_(options) {}

  absl::Status Add(std::string json) {
    Header header;
    RETURN_IF_ERROR(json::Parse(json, header));
    if (header.kind.empty() || header.api_version.empty()) {
      return InvalidArgumentError("apiVersion and kind: are required");
    }
    if (header.kind.ends_with("List")) {
      for (json::RawValue& item : header.items) {
        RETURN_IF_ERROR(Add(std::move(item.text)));
      }
      return absl::OkStatus();
    }
    const std::string title = absl::StrCat(header.kind, " ", NameOf(header.metadata));
    return Annotate(AddObject(header, std::move(json), title), title);
  }
  PodFile Take() { return std::move(file_); }

 private:
  absl::Status AddObject(const Header& header, std::string json, const std::string& title) {
    PodItem item{.kind = header.kind, .ns = {}, .name = NameOf(header.metadata), .pod_json = {}};
    if (header.api_version == "v1" && header.kind == "Pod") {
      item.pod_json = std::move(json);
    } else {
      ASSIGN_OR_RETURN(const std::optional<Body> pods, TemplateOf(header));
      if (!pods) {
        file_.skipped.push_back(title);
        return absl::OkStatus();
      }
      item.pod_json = json::Print(*pods);
    }
    ASSIGN_OR_RETURN(item.ns, NamespaceOf(header.metadata));
    file_.items.push_back(std::move(item));
    return absl::OkStatus();
  }

  // As kubectl: what was asked for and what the object says must agree.
  absl::StatusOr<std::string> NamespaceOf(const api::ObjectMeta& metadata) const {
    if (!options_.ns.empty() && !metadata.ns.empty() && options_.ns != metadata.ns) {
      return InvalidArgumentError(absl::StrCat("metadata.namespace: \"", metadata.ns,
                                               "\": does not agree with --namespace ",
                                               options_.ns));
    }
    for (const std::string* ns : {&metadata.ns, &options_.ns, &options_.default_ns}) {
      if (!ns->empty()) {
        return *ns;
      }
    }
    return std::string("default");
  }

  const PodFileOptions& options_;
  PodFile file_;
};

}  // namespace

absl::StatusOr<PodFile> ReadPodFile(const std::string& text, const PodFileOptions& options) {
  const std::string source = options.source == "-" ? "standard input" : options.source;
  auto documents = kube::YamlToJson(text);
  RETURN_IF_ERROR(Annotate(documents.status(), source));
  FileReader reader(options);
  for (std::string& document : *documents) {
    RETURN_IF_ERROR(Annotate(reader.Add(std::move(document)), source));
  }
  PodFile file = reader.Take();
  if (file.items.empty()) {
    return InvalidArgumentError(
        absl::StrCat(source, ": there is no Pod in it, and nothing that makes pods"));
  }
  return file;
}

}  // namespace korder::cli
