// Reads a small file whole.
//
//   ASSIGN_OR_RETURN(std::string pem, ReadFile("/etc/tls/ca.crt"));
#pragma once

#include <string>

#include "base/status.h"

namespace korder::kube {

// NOT_FOUND when it does not exist, INVALID_ARGUMENT when it cannot be read.
absl::StatusOr<std::string> ReadFile(const std::string& path);

}  // namespace korder::kube
