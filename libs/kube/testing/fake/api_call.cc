#include "kube/testing/fake/api_call.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"

namespace korder::kube::fake {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::string PercentDecode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 &&
        HexDigit(text[i + 2]) >= 0) {
      out += static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::vector<std::string> Segments(const std::string& path) {
  std::vector<std::string> segments = absl::StrSplit(path, '/', absl::SkipEmpty());
  for (std::string& segment : segments) {
    segment = PercentDecode(segment);
  }
  return segments;
}

// Takes "api/v1" or "apis/group/version" off; false when the path begins otherwise.
bool TakeGroupVersion(std::vector<std::string>& segments, ApiCall& call) {
  if (segments.size() >= 3 && segments[0] == "api") {
    call.version = segments[1];
    segments.erase(segments.begin(), segments.begin() + 2);
    return true;
  }
  if (segments.size() >= 4 && segments[0] == "apis") {
    call.resource.group = segments[1];
    call.version = segments[2];
    segments.erase(segments.begin(), segments.begin() + 3);
    return true;
  }
  return false;
}

std::string VerbOf(const std::string& method, const ApiCall& call) {
  const bool one = !call.key.name.empty();
  if (method == "GET") {
    if (call.Query("watch") == "true" || call.Query("watch") == "1") {
      return "watch";
    }
    return one ? "get" : "list";
  }
  if (method == "POST") return "create";
  if (method == "PUT") return "update";
  if (method == "PATCH") return "patch";
  if (method == "DELETE") return one ? "delete" : "deletecollection";
  return "";
}

}  // namespace

std::string ApiCall::ResourcePath() const {
  return subresource.empty() ? resource.plural : absl::StrCat(resource.plural, "/", subresource);
}

std::string ApiCall::ApiVersion() const {
  return resource.group.empty() ? version : absl::StrCat(resource.group, "/", version);
}

std::string ApiCall::Query(std::string_view name) const {
  const auto it = query.find(name);
  return it == query.end() ? "" : it->second;
}

absl::StatusOr<ApiCall> ParseCall(const HttpRequest& request) {
  const std::pair<std::string, std::string> target =
      absl::StrSplit(request.target, absl::MaxSplits('?', 1));
  ApiCall call;
  call.content_type = request.content_type;
  call.body = request.body;
  for (const auto& parameter : absl::StrSplit(target.second, '&', absl::SkipEmpty())) {
    const std::pair<std::string, std::string> pair =
        absl::StrSplit(parameter, absl::MaxSplits('=', 1));
    call.query[PercentDecode(pair.first)] = PercentDecode(pair.second);
  }
  std::vector<std::string> segments = Segments(target.first);
  if (!TakeGroupVersion(segments, call)) {
    return InvalidArgumentError("not a path of the resource API");
  }
  // "namespaces/x/pods" is about pods, "namespaces/x/status" about a namespace.
  if (segments[0] == "namespaces" && segments.size() >= 3 && segments[2] != "status" &&
      segments[2] != "finalize") {
    call.key.ns = segments[1];
    segments.erase(segments.begin(), segments.begin() + 2);
  }
  segments.resize(3);
  call.resource.plural = segments[0];
  call.key.name = segments[1];
  call.subresource = segments[2];
  call.verb = VerbOf(request.method, call);
  if (call.verb.empty()) {
    return InvalidArgumentError("not a method of the resource API");
  }
  return call;
}

}  // namespace korder::kube::fake
