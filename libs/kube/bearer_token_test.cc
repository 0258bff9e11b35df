#include "kube/bearer_token.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <catch2/catch.hpp>

namespace korder::kube {
namespace {

constexpr MonoTime kStart = MonoTime() + std::chrono::hours(1);

class TokenFile {
 public:
  TokenFile() {
    std::string name = (std::filesystem::temp_directory_path() / "korder-token-XXXXXX").string();
    ::close(::mkstemp(name.data()));
    path = name;
  }
  ~TokenFile() { std::filesystem::remove(path); }
  void Write(const std::string& text) const { std::ofstream(path) << text; }
  std::string path;
};

TEST_CASE("bearer token: a fixed one stays", "[bearer_token]") {
  BearerToken token("secret", "");
  CHECK(token.Get(kStart) == "secret");
  token.Refused();
  CHECK(token.Get(kStart + std::chrono::hours(1)) == "secret");
  CHECK(BearerToken("", "").Get(kStart).empty());
}

TEST_CASE("bearer token: a file is read again after a while and wins over a fixed token",
          "[bearer_token]") {
  const TokenFile file;
  file.Write("one\n");
  BearerToken token("fixed", file.path);
  CHECK(token.Get(kStart) == "one");
  file.Write("two");
  CHECK(token.Get(kStart + BearerToken::kMaxAge - std::chrono::milliseconds(1)) == "one");
  CHECK(token.Get(kStart + BearerToken::kMaxAge) == "two");
}

TEST_CASE("bearer token: a refused one is read again at once", "[bearer_token]") {
  const TokenFile file;
  file.Write("one");
  BearerToken token("", file.path);
  CHECK(token.Get(kStart) == "one");
  file.Write("two");
  token.Refused();
  CHECK(token.Get(kStart) == "two");
}

TEST_CASE("bearer token: while the file is empty or gone the last one stays", "[bearer_token]") {
  const TokenFile file;
  file.Write("one");
  BearerToken token("", file.path);
  CHECK(token.Get(kStart) == "one");
  file.Write("");
  CHECK(token.Get(kStart + BearerToken::kMaxAge) == "one");
  std::filesystem::remove(file.path);
  CHECK(token.Get(kStart + 2 * BearerToken::kMaxAge) == "one");
}

}  // namespace
}  // namespace korder::kube
