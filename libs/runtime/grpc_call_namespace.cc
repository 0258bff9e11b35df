#include "runtime/grpc_call_namespace.h"

#include <iterator>

#include "absl/strings/str_cat.h"
#include "api/value/field_error.h"
#include "runtime/user_access.h"

namespace korder::runtime {

absl::Status CheckCallNamespace(const grpc::ServerContext& context, const std::string& ns) {
  const auto [first, last] = context.client_metadata().equal_range(kNamespaceMetadata);
  std::string named;
  if (first != last) {
    named.assign(first->second.data(), first->second.size());
    if (std::next(first) != last) {
      return PermissionDeniedError(absl::StrCat(kNamespaceMetadata, ": must be given once"));
    }
  }
  return named == ns ? absl::OkStatus()
                     : PermissionDeniedError(absl::StrCat(
                           "the call names namespace ", api::Quoted(named), " (metadata ",
                           kNamespaceMetadata, "), and its request is about ", api::Quoted(ns)));
}

}  // namespace korder::runtime
