// Makes an object from JSON text in a test; a text that cannot be read fails the test.
//
//   const Pod pod = FromJson<Pod>(R"({"metadata":{"name":"web"}})");
#pragma once

#include <string>
#include <utility>

#include <catch2/catch.hpp>

#include "base/status.h"
#include "json/fields.h"

namespace korder::api {

template <class T>
T FromJson(std::string text) {
  T object;
  const absl::Status status = json::Parse(std::move(text), object);
  INFO(ToString(status));
  REQUIRE(status.ok());
  return object;
}

}  // namespace korder::api
