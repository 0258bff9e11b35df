#include "sample_objects.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

namespace korder::bench {
namespace {

std::string ReadObject(const std::string& name) {
  const std::ifstream file(std::string(KORDER_BENCH_OBJECTS "/") + name);
  std::ostringstream text;
  text << file.rdbuf();
  if (text.str().empty()) {
    throw std::runtime_error("cannot read " + name);
  }
  std::string object = text.str();
  object.pop_back();  // its line feed
  return object;
}

std::string Numbered(const std::string& object, int number, int64_t version) {
  const auto uid = [&](int kind) {
    return absl::StrFormat("c87da18a-7e1e-4659-%04d-%012d", kind, number);
  };
  return absl::StrReplaceAll(object, {{"{pod-uid}", uid(1)},
                                      {"{ticket-uid}", uid(2)},
                                      {"{ticket}", absl::StrCat("web-", number)},
                                      {"{node}", absl::StrFormat("node-%03d", number % 1000)},
                                      {"{grant}", absl::StrFormat("5ffb0b586931c26e%016d", number)},
                                      {"{version}", absl::StrCat(version)}});
}

}  // namespace

SampleObjects::SampleObjects()
    : guardian_(ReadObject("guardian.json")), ticket_(ReadObject("ticket.json")) {}

std::string SampleObjects::Guardian(int number, int64_t version) const {
  return Numbered(guardian_, number, version);
}

std::string SampleObjects::Ticket(int number, int64_t version) const {
  return Numbered(ticket_, number, version);
}

std::string PageText(int64_t version, const std::string& next,
                     const std::vector<std::string>& objects) {
  return absl::StrCat(R"({"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":")",
                      version, next.empty() ? "\"" : absl::StrCat(R"(","continue":")", next, "\""),
                      R"(},"items":[)", absl::StrJoin(objects, ","), "]}");
}

std::string EventText(std::string_view type, const std::string& object) {
  return absl::StrCat(R"({"type":")", std::string(type), R"(","object":)", object, "}\n");
}

}  // namespace korder::bench
