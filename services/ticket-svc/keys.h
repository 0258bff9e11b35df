// Keys as statuses carry them: "namespace/name", the form of ObjectKey::ToString.
#pragma once

#include <string>

#include "kube/object_key.h"

namespace korder::ticket {

inline kube::ObjectKey ParseKey(const std::string& text) {
  const size_t slash = text.find('/');
  if (slash == std::string::npos) {
    return {"", text};
  }
  return {text.substr(0, slash), text.substr(slash + 1)};
}

}  // namespace korder::ticket
