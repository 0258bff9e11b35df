// How output looks: what the user asked for, and what the terminal can show.
#pragma once

#include <cstddef>

namespace korder::cli {

enum class Format { kTable, kWide, kJson, kYaml, kIcs };

struct Style {
  Format format = Format::kTable;
  bool color = false;    // escape sequences; only for a terminal
  bool unicode = false;  // block characters; otherwise ASCII
  size_t width = 100;    // columns, for pictures
};

}  // namespace korder::cli
