#include "cli/read_input.h"

#include <fstream>
#include <istream>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"

namespace korder::cli {

absl::StatusOr<std::string> ReadInput(Io io, const std::string& file) {
  if (file == "-") {
    return std::string(std::istreambuf_iterator<char>(io.in), {});
  }
  std::ifstream in(file, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(in), {});
  return in.good() || in.eof()
             ? absl::StatusOr<std::string>(std::move(text))
             : FailedPreconditionError(absl::StrCat("cannot read ", file,
                                                    "; -f takes a file, or - for standard input"));
}

}  // namespace korder::cli
