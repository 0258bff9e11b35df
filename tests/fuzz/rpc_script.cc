#include "rpc_script.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <google/protobuf/stubs/logging.h>
#include <memory>

#include <google/protobuf/util/json_util.h>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "fuzz.h"
#include "mutate.h"
#include "mutate_message.h"
#include "rpc_methods.h"

namespace korder::fuzz {
namespace {

using google::protobuf::Message;

// Of a call, however large its request: the sanitizers make everything slow.
constexpr double kMostSeconds = 5;
constexpr size_t kLargestMessage = 4 << 20;
// gRPC sends a status in the trailer, in which it takes at most 8 KiB.
constexpr size_t kLongestStatus = 6 << 10;

// The same on every machine.
uint64_t Hash(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) {
    hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3U;
  }
  return hash;
}

double SecondsOfThread() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// As gRPC writes it: what is not printable, and %, as %XX.
size_t LengthInTrailer(const std::string& message) {
  size_t length = 0;
  for (const char c : message) {
    length += c >= ' ' && c <= '~' && c != '%' ? 1 : 3;
  }
  return length;
}

// `claim.requests[cpu]: ` and what is wrong there; something in front of it may say what was tried.
bool HasPath(const std::string& message) {
  const size_t colon = message.find(": ");
  return colon != std::string::npos && colon > 0 && colon + 2 < message.size() &&
         (absl::ascii_isalpha(static_cast<unsigned char>(message[0])) || message[0] == '_') &&
         message.substr(0, message.find_first_of("[:")).find(' ') == std::string::npos;
}

void CheckStatus(const grpc::Status& status) {
  FUZZ_CHECK(LengthInTrailer(status.error_message()) <= kLongestStatus);
  switch (status.error_code()) {
    case grpc::StatusCode::OK:
      return;
    case grpc::StatusCode::INVALID_ARGUMENT:
      FUZZ_CHECK(HasPath(status.error_message()));
      return;
    case grpc::StatusCode::NOT_FOUND:
      FUZZ_CHECK(!status.error_message().empty());
      return;
    default:
      std::fprintf(stderr, "status %d: %s\n", static_cast<int>(status.error_code()),
                   status.error_message().c_str());
      FUZZ_CHECK(status.error_code() == grpc::StatusCode::OK);
  }
}

// The caller can read it.
void CheckResponse(const RpcMethod& method, const Message& response) {
  const std::string wire = response.SerializeAsString();
  FUZZ_CHECK(wire.size() <= kLargestMessage);
  FUZZ_CHECK(method.Response()->ParseFromString(wire));
}

// The request that arrives; null when gRPC would refuse it.
std::unique_ptr<Message> Arriving(const RpcMethod& method, std::string_view json,
                                  Mangling mangling) {
  std::unique_ptr<Message> request = method.Request();
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  const bool read =
      google::protobuf::util::JsonStringToMessage(
          google::protobuf::StringPiece(json.data(), json.size()), request.get(), options)
          .ok();
  const uint64_t seed = Hash(json);
  if (!read && mangling == Mangling::kNone) {
    return nullptr;
  }
  if (mangling == Mangling::kFields) {
    MessageMutator(seed).Mutate(*request, static_cast<int>(1 + seed % 5));
  }
  std::string wire = request->SerializePartialAsString();
  if (mangling == Mangling::kBytes) {
    wire = Mutator({wire}, seed).Make(1);
  }
  request->Clear();
  const bool arrives = wire.size() <= kLargestMessage && request->ParseFromString(wire);
  return arrives ? std::move(request) : nullptr;
}

bool Call(const RpcMethod& method, std::string_view json, Mangling mangling) {
  const std::unique_ptr<Message> request = Arriving(method, json, mangling);
  if (request == nullptr) {
    return false;
  }
  const std::unique_ptr<Message> response = method.Response();
  const double begin = SecondsOfThread();
  const grpc::Status status = method.call(*request, *response);
  FUZZ_CHECK(SecondsOfThread() - begin < kMostSeconds);
  CheckStatus(status);
  if (status.ok()) {
    CheckResponse(method, *response);
  }
  return status.ok();
}

}  // namespace

Answered RunScript(std::string_view script, Mangling mangling) {
  google::protobuf::SetLogHandler(nullptr);
  RpcMethods methods;
  Answered answered;
  constexpr int kMostCalls = 20;
  int calls = 0;
  for (const std::string& line :
       std::vector<std::string>(absl::StrSplit(std::string(script), '\n'))) {
    const size_t space = std::min(line.find(' '), line.size());
    const std::string name = line.substr(0, space);
    const std::string rest = line.substr(std::min(space + 1, line.size()));
    int64_t seconds = 0;
    if (name == "advance" && absl::SimpleAtoi(rest, &seconds)) {
      methods.ledger().Advance(absl::Seconds(std::clamp<int64_t>(seconds, 0, 10'000'000)));
    }
    const auto method = methods.all().find(name);
    if (method != methods.all().end() && ++calls <= kMostCalls &&
        Call(method->second, rest, mangling)) {
      ++answered[name];
    }
  }
  return answered;
}

}  // namespace korder::fuzz
