// What a command reads and writes. Tests put string streams here.
#pragma once

#include <iosfwd>

namespace korder::cli {

struct Io {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
};

}  // namespace korder::cli
