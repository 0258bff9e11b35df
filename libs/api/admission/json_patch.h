// Builds a JSON patch (RFC 6902).
//
//   JsonPatch patch;
//   patch.Test({"metadata", "resourceVersion"}, std::string("17"))
//       .Add({"metadata", "labels", "korder.dev/claim"}, std::string("pending"))
//       .Remove({"spec", "schedulingGates", "0"});
//   std::string body = patch.Take();
//
// A path is given as its parts, unescaped; "-" as the last one appends to an array. Add() into an
// object or array that does not exist fails at the server: add the whole of it instead.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "json/fields.h"

namespace korder::api {

// {"metadata", "labels", "korder.dev/claim"} -> "/metadata/labels/korder.dev~1claim".
std::string JsonPointer(std::initializer_list<std::string_view> parts);

class JsonPatch {
 public:
  using Path = std::initializer_list<std::string_view>;

  template <class T>
  JsonPatch& Add(Path path, const T& value) {
    return Append("add", path, json::Print(value));
  }
  template <class T>
  JsonPatch& Replace(Path path, const T& value) {
    return Append("replace", path, json::Print(value));
  }
  // The server refuses the whole patch unless the value at `path` equals `value`.
  template <class T>
  JsonPatch& Test(Path path, const T& value) {
    return Append("test", path, json::Print(value));
  }
  JsonPatch& Remove(Path path) { return Append("remove", path, ""); }

  bool empty() const { return operations_.empty(); }
  // The patch as JSON text, or "" when it has no operation; the builder is empty afterwards.
  std::string Take();

 private:
  JsonPatch& Append(std::string_view op, Path path, std::string_view value);

  std::string operations_;  // comma-separated
};

}  // namespace korder::api
