#include "api/meta/object_meta.h"

namespace korder::api {

const OwnerReference* ControllerOf(const ObjectMeta& meta) {
  for (const OwnerReference& owner : meta.owner_references) {
    if (owner.controller.value_or(false)) {
      return &owner;
    }
  }
  return nullptr;
}

std::string_view ValueOf(const Labels& labels, std::string_view key) {
  const auto it = labels.find(key);
  return it == labels.end() ? std::string_view() : std::string_view(it->second);
}

}  // namespace korder::api
