#include "kube/resource_version.h"

#include <catch2/catch.hpp>

namespace korder::kube {
namespace {

TEST_CASE("resource version: it is a number when all of it is", "[kube][resource_version]") {
  CHECK(VersionNumber("0") == 0);
  CHECK(VersionNumber("4711") == 4711);
  CHECK(VersionNumber("18446744073709551615") == UINT64_MAX);
  for (const char* const none : {"", "abc", "12abc", " 12", "12 ", "-1", "18446744073709551616"}) {
    CAPTURE(none);
    CHECK(VersionNumber(none) == std::nullopt);
  }
}

TEST_CASE("resource version: they are compared as numbers, and none is below all",
          "[kube][resource_version]") {
  CHECK(VersionNumber("99") < VersionNumber("100"));
  CHECK(VersionNumber("abc") < VersionNumber("0"));
}

TEST_CASE("resource version: one that is kept as a number is the same",
          "[kube][resource_version]") {
  for (const char* const version : {"0", "4711", "18446744073709551615", "007", "", "abc", "-1"}) {
    CAPTURE(version);
    CHECK(VersionNumber(CompactNumber(version)) == VersionNumber(version));
  }
}

}  // namespace
}  // namespace korder::kube
