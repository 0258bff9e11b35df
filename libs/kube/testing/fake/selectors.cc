#include "kube/testing/fake/selectors.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"

namespace korder::kube::fake {
namespace {

struct SelectableField {
  std::string_view plural;  // empty: of every resource
  std::string_view field;
};
constexpr auto kSelectable = std::to_array<SelectableField>({
    {"", "metadata.name"},
    {"", "metadata.namespace"},
    {"events", "involvedObject.kind"},
    {"events", "involvedObject.name"},
    {"events", "involvedObject.namespace"},
    {"events", "involvedObject.uid"},
    {"events", "reason"},
    {"events", "type"},
    {"nodes", "spec.unschedulable"},
    {"pods", "spec.nodeName"},
    {"pods", "spec.restartPolicy"},
    {"pods", "spec.schedulerName"},
    {"pods", "status.nominatedNodeName"},
    {"pods", "status.phase"},
});

bool IsSelectable(const ApiCall& call, const std::string& field) {
  return std::any_of(kSelectable.begin(), kSelectable.end(), [&](const SelectableField& row) {
    return row.field == field && (row.plural.empty() || (call.resource.group.empty() &&
                                                         row.plural == call.resource.plural));
  });
}

absl::StatusOr<FieldRequirement> ParseField(const ApiCall& call, const std::string& text) {
  FieldRequirement requirement;
  const size_t at = text.find_first_of("!=");
  if (at == std::string::npos) {
    return InvalidArgumentError(
        absl::StrCat("invalid selector: '", text, "'; can't understand '", text, "'"));
  }
  requirement.field = text.substr(0, at);
  requirement.equal = text[at] == '=';
  const size_t value = text.find_first_not_of("!=", at);
  requirement.value = value == std::string::npos ? "" : text.substr(value);
  if (!IsSelectable(call, requirement.field)) {
    return InvalidArgumentError(absl::StrCat("field label not supported: ", requirement.field));
  }
  return requirement;
}

std::string ValueAt(const Json& object, const std::string& field) {
  const Json* at = &object;
  for (const auto& segment : absl::StrSplit(field, '.')) {
    at = at->Find(std::string(segment));
    if (at == nullptr) {
      return "";
    }
  }
  return at->IsString() ? at->Text() : json::Print(*at);
}

}  // namespace

bool Selector::Matches(const Json& object) const {
  if (!ns.empty() && object.TextAt({"metadata", "namespace"}) != ns) {
    return false;
  }
  api::Labels own;
  for (const auto& [name, value] : object.ObjectAt({"metadata", "labels"})) {
    own[name] = value.Text();
  }
  return labels.Matches(own) &&
         std::all_of(fields.begin(), fields.end(), [&](const FieldRequirement& requirement) {
           return (ValueAt(object, requirement.field) == requirement.value) == requirement.equal;
         });
}

absl::StatusOr<Selector> ParseSelector(const ApiCall& call) {
  Selector selector;
  selector.ns = call.key.ns;
  ASSIGN_OR_RETURN(selector.labels, api::ParseSelector(call.Query("labelSelector")));
  for (const auto& text : absl::StrSplit(call.Query("fieldSelector"), ',', absl::SkipEmpty())) {
    ASSIGN_OR_RETURN(FieldRequirement field, ParseField(call, std::string(text)));
    selector.fields.push_back(std::move(field));
  }
  // A watch of one object names it in the path.
  if (!call.key.name.empty()) {
    selector.fields.push_back({"metadata.name", call.key.name});
  }
  return selector;
}

}  // namespace korder::kube::fake
