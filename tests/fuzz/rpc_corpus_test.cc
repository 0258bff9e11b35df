// The examples of fuzz_rpc are about everything: otherwise it would fuzz the way to a refusal.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <catch2/catch.hpp>

#include "fuzz.h"
#include "rpc_methods.h"
#include "rpc_script.h"

namespace korder::fuzz {

void Violated(const char* what, const char* file, int line) {
  FAIL(file << ":" << line << ": does not hold: " << what);
  std::abort();
}

namespace {

TEST_CASE("fuzz_rpc: every method has an example that is answered", "[fuzz]") {
  Answered answered;
  for (const auto& entry : std::filesystem::directory_iterator(KORDER_RPC_CORPUS)) {
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string script{std::istreambuf_iterator<char>(in), {}};
    for (const auto& [method, count] : RunScript(script, Mangling::kNone)) {
      answered[method] += count;
    }
  }
  const RpcMethods methods;
  for (const auto& [name, method] : methods.all()) {
    CAPTURE(name);
    CHECK(answered[name] > 0);
  }
}

}  // namespace
}  // namespace korder::fuzz
