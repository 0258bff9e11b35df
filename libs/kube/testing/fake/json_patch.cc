#include "kube/testing/fake/json_patch.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"

namespace korder::kube::fake {
namespace {

constexpr std::string_view kDirective = "$patch";

struct MergeKey {
  std::string_view list;
  std::string_view key;
};
// Of the lists that korder and what it lives with patch; the real table is in the API types' tags.
constexpr auto kMergeKeys = std::to_array<MergeKey>({
    {"conditions", "type"},
    {"containers", "name"},
    {"env", "name"},
    {"initContainers", "name"},
    {"ownerReferences", "uid"},
    {"schedulingGates", "name"},
    {"topologySpreadConstraints", "topologyKey"},
    {"volumes", "name"},
    {"webhooks", "name"},
});

std::string_view KeyOfList(std::string_view list) {
  for (const MergeKey& row : kMergeKeys) {
    if (row.list == list) {
      return row.key;
    }
  }
  return "";
}

Json* FindByKey(Json::Array& elements, std::string_view key, const std::string& value) {
  const auto it = std::find_if(elements.begin(), elements.end(),
                               [&](const Json& element) { return element.TextAt({key}) == value; });
  return it == elements.end() ? nullptr : &*it;
}

void MergeListByKey(Json& target, const Json& patch, std::string_view key) {
  if (!target.IsArray()) {
    target = Json::Of(Json::Array());
  }
  for (const Json& element : patch.array()) {
    const std::string directive = element.TextAt({kDirective});
    if (directive == "replace") {
      target.array().clear();
      continue;
    }
    const std::string value = element.TextAt({key});
    if (directive == "delete") {
      std::erase_if(target.array(), [&](const Json& mine) { return mine.TextAt({key}) == value; });
    } else if (Json* mine = FindByKey(target.array(), key, value); mine != nullptr) {
      StrategicMergePatch(*mine, element);
    } else {
      StrategicMergePatch(target.array().emplace_back(), element);
    }
  }
}

void MergeSet(Json& target, const Json& patch) {
  if (!target.IsArray()) {
    target = Json::Of(Json::Array());
  }
  for (const Json& element : patch.array()) {
    if (std::find(target.array().begin(), target.array().end(), element) == target.array().end()) {
      target.array().push_back(element);
    }
  }
}

void DeleteFromSet(Json& target, const Json& gone) {
  if (target.IsArray() && gone.IsArray()) {
    std::erase_if(target.array(), [&](const Json& element) {
      return std::find(gone.array().begin(), gone.array().end(), element) != gone.array().end();
    });
  }
}

void MergeMember(Json& target, const std::string& name, const Json& patch) {
  constexpr std::string_view kDelete = "$deleteFromPrimitiveList/";
  const std::string member = name.starts_with(kDelete) ? name.substr(kDelete.size()) : name;
  if (member.starts_with('$')) {
    return;  // "$setElementOrder/..." and the like: the order is kept anyway.
  }
  if (patch.IsNull()) {
    return target.Erase(member);
  }
  Json& mine = target[member];
  if (member != name) {
    DeleteFromSet(mine, patch);
  } else if (patch.IsObject()) {
    StrategicMergePatch(mine, patch);
  } else if (patch.IsArray() && !KeyOfList(member).empty()) {
    MergeListByKey(mine, patch, KeyOfList(member));
  } else if (patch.IsArray() && member == "finalizers") {
    MergeSet(mine, patch);
  } else {
    mine = patch;
  }
  if (mine.IsNull() || (mine.IsArray() && mine.IsEmpty())) {
    target.Erase(member);
  }
}

// --- JSON patch ---

using Pointer = std::vector<std::string>;

absl::StatusOr<Pointer> ParsePointer(const Json* text) {
  if (text == nullptr || !text->IsString()) {
    return InvalidArgumentError("a JSON patch operation lacks a path");
  }
  Pointer pointer = absl::StrSplit(text->Text(), '/');
  if (!pointer.front().empty()) {
    return InvalidArgumentError(absl::StrCat("not a JSON pointer: ", text->Text()));
  }
  pointer.erase(pointer.begin());
  for (std::string& segment : pointer) {
    segment = absl::StrReplaceAll(absl::StrReplaceAll(segment, {{"~1", "/"}}), {{"~0", "~"}});
  }
  return pointer;
}

// An index into `elements`, or its size for "-".
std::optional<size_t> IndexOf(const std::string& segment, const Json::Array& elements) {
  size_t index = elements.size();
  if (segment != "-" && (!absl::SimpleAtoi(segment, &index) || index > elements.size())) {
    return std::nullopt;
  }
  return index;
}

// nullptr when there is no such value.
Json* Resolve(Json& root, const Pointer& pointer, size_t depth) {
  Json* at = &root;
  for (size_t i = 0; i < depth; ++i) {
    if (at->IsArray()) {
      const std::optional<size_t> index = IndexOf(pointer[i], at->array());
      if (!index || *index == at->array().size()) {
        return nullptr;
      }
      at = &at->array()[*index];
    } else if (at->Find(pointer[i]) != nullptr) {
      at = &(*at)[pointer[i]];
    } else {
      return nullptr;
    }
  }
  return at;
}

absl::Status Missing(const Pointer& pointer) {
  return InvalidArgumentError(absl::StrCat("no value at a JSON patch's path, segment ",
                                           pointer.empty() ? "" : pointer.back()));
}

absl::Status Add(Json& root, const Pointer& pointer, const Json& value) {
  if (pointer.empty()) {
    root = value;
    return absl::OkStatus();
  }
  Json* parent = Resolve(root, pointer, pointer.size() - 1);
  if (parent != nullptr && parent->IsArray()) {
    if (const auto index = IndexOf(pointer.back(), parent->array())) {
      parent->array().insert(parent->array().begin() + static_cast<std::ptrdiff_t>(*index), value);
      return absl::OkStatus();
    }
  } else if (parent != nullptr && parent->IsObject()) {
    (*parent)[pointer.back()] = value;
    return absl::OkStatus();
  }
  return Missing(pointer);
}

absl::Status Remove(Json& root, const Pointer& pointer) {
  if (pointer.empty() || Resolve(root, pointer, pointer.size()) == nullptr) {
    return Missing(pointer);
  }
  Json* parent = Resolve(root, pointer, pointer.size() - 1);
  if (parent->IsArray()) {
    const size_t index = *IndexOf(pointer.back(), parent->array());
    parent->array().erase(parent->array().begin() + static_cast<std::ptrdiff_t>(index));
  } else {
    parent->Erase(pointer.back());
  }
  return absl::OkStatus();
}

absl::Status Perform(Json& root, const Json& operation) {
  const std::string op = operation.TextAt({"op"});
  const Json* given = operation.Find("value");
  const Json value = given == nullptr ? Json() : *given;
  ASSIGN_OR_RETURN(const Pointer path, ParsePointer(operation.Find("path")));
  if (op == "add") {
    return Add(root, path, value);
  }
  if (op == "remove") {
    return Remove(root, path);
  }
  Json* at = Resolve(root, path, path.size());
  if (op == "test") {
    // A value that is not there equals null.
    return (at == nullptr ? Json() : *at) == value
               ? absl::OkStatus()
               : FailedPreconditionError(absl::StrCat("testing path ", operation.TextAt({"path"}),
                                                      " value failed: test failed"));
  }
  if (op == "replace") {
    // The library that the real server uses adds a member that is not there.
    if (at == nullptr) {
      return !path.empty() && path.back() == "-" ? Missing(path) : Add(root, path, value);
    }
    *at = value;
    return absl::OkStatus();
  }
  if (op == "move" || op == "copy") {
    ASSIGN_OR_RETURN(const Pointer from, ParsePointer(operation.Find("from")));
    const Json* source = Resolve(root, from, from.size());
    if (source == nullptr) {
      return Missing(from);
    }
    const Json moved = *source;
    if (op == "move") {
      RETURN_IF_ERROR(Remove(root, from));
    }
    return Add(root, path, moved);
  }
  return InvalidArgumentError(absl::StrCat("unexpected kind of JSON patch operation: ", op));
}

}  // namespace

void MergePatch(Json& target, const Json& patch) {
  if (!patch.IsObject()) {
    target = patch;
    return;
  }
  if (!target.IsObject()) {
    target = Json::EmptyObject();
  }
  for (const auto& [name, value] : patch.object()) {
    if (value.IsNull()) {
      target.Erase(name);
    } else {
      MergePatch(target[name], value);
    }
  }
}

void StrategicMergePatch(Json& target, const Json& patch) {
  if (!patch.IsObject()) {
    target = patch;
    return;
  }
  if (!target.IsObject() || patch.TextAt({kDirective}) == "replace") {
    target = Json::EmptyObject();
  }
  for (const auto& [name, value] : patch.object()) {
    MergeMember(target, name, value);
  }
}

absl::Status JsonPatch(Json& target, const Json& operations) {
  if (!operations.IsArray()) {
    return InvalidArgumentError("a JSON patch is an array of operations");
  }
  Json patched = target;
  for (const Json& operation : operations.array()) {
    RETURN_IF_ERROR(Perform(patched, operation));
  }
  target = std::move(patched);
  return absl::OkStatus();
}

}  // namespace korder::kube::fake
