#include "api/admission/json_patch.h"

#include <utility>

namespace korder::api {

std::string JsonPointer(std::initializer_list<std::string_view> parts) {
  std::string pointer;
  for (const std::string_view part : parts) {
    pointer += '/';
    for (const char c : part) {
      if (c == '~') {
        pointer += "~0";
      } else if (c == '/') {
        pointer += "~1";
      } else {
        pointer += c;
      }
    }
  }
  return pointer;
}

JsonPatch& JsonPatch::Append(std::string_view op, Path path, std::string_view value) {
  json::Writer w;
  w.BeginObject();
  w.Key("op");
  w.String(op);
  w.Key("path");
  w.String(JsonPointer(path));
  if (!value.empty()) {
    w.Key("value");
    w.Raw(value);
  }
  w.EndObject();
  if (!operations_.empty()) {
    operations_ += ',';
  }
  operations_ += w.Take();
  return *this;
}

std::string JsonPatch::Take() {
  if (operations_.empty()) {
    return "";
  }
  return "[" + std::exchange(operations_, "") + "]";
}

}  // namespace korder::api
