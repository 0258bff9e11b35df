#include "kube/read_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace korder::kube {

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (in) {
    return text;
  }
  const std::string message = "read " + path + ": " + (errno ? std::strerror(errno) : "failed");
  return errno == ENOENT ? NotFoundError(message) : InvalidArgumentError(message);
}

}  // namespace korder::kube
