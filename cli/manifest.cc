#include "cli/manifest.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "kube/yaml_json.h"

namespace korder::cli {
namespace {

// A Manifest as it is read, or a list of them.
struct Document {
  Manifest manifest;
  std::vector<json::RawValue> items;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("apiVersion", self.manifest.api_version);
    v("kind", self.manifest.kind);
    v("metadata", self.manifest.metadata);
    v("spec", self.manifest.spec);
    v("items", self.items);
  }
};

absl::Status ReadOne(std::string json, const ManifestReader& read) {
  Document document;
  RETURN_IF_ERROR(json::Parse(json, document));
  Manifest& manifest = document.manifest;
  if (manifest.kind.empty() || manifest.api_version.empty()) {
    return InvalidArgumentError("apiVersion and kind: are required");
  }
  if (manifest.kind.ends_with("List")) {
    for (json::RawValue& item : document.items) {
      RETURN_IF_ERROR(ReadOne(std::move(item.text), read));
    }
    return absl::OkStatus();
  }
  manifest.json = std::move(json);
  return Annotate(read(manifest), manifest.Title());
}

}  // namespace

std::string Manifest::Name() const {
  if (!metadata.name.empty()) {
    return metadata.name;
  }
  return metadata.generate_name.empty() ? "(no name)" : metadata.generate_name + "*";
}

std::string Manifest::Title() const { return absl::StrCat(kind, " ", Name()); }

absl::StatusOr<std::string> Manifest::Namespace(const std::string& asked_for,
                                                const std::string& otherwise) const {
  if (!asked_for.empty() && !metadata.ns.empty() && asked_for != metadata.ns) {
    return InvalidArgumentError(absl::StrCat("metadata.namespace: \"", metadata.ns,
                                             "\": does not agree with --namespace ", asked_for));
  }
  for (const std::string* ns : {&metadata.ns, &asked_for, &otherwise}) {
    if (!ns->empty()) {
      return *ns;
    }
  }
  return std::string("default");
}

std::string SourceName(const std::string& source) {
  return source == "-" ? "standard input" : source;
}

absl::Status ReadManifests(const std::string& text, const std::string& source,
                           const ManifestReader& read) {
  absl::StatusOr<std::vector<std::string>> documents = kube::YamlToJson(text);
  RETURN_IF_ERROR(Annotate(documents.status(), SourceName(source)));
  for (std::string& document : *documents) {
    RETURN_IF_ERROR(Annotate(ReadOne(std::move(document), read), SourceName(source)));
  }
  return absl::OkStatus();
}

}  // namespace korder::cli
