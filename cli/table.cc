#include "cli/table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"

namespace korder::cli {
namespace {

constexpr size_t kGap = 3;

std::string_view Shown(const std::string& cell) {
  return cell.empty() ? std::string_view("-") : std::string_view(cell);
}

}  // namespace

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b') {
      i = std::min(text.find('m', i), text.size() - 1);
    } else if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) {
      ++width;
    }
  }
  return width;
}

std::string Padded(std::string_view text, size_t width, Align align) {
  const size_t has = DisplayWidth(text);
  const std::string fill(width > has ? width - has : 0, ' ');
  return align == Align::kLeft ? std::string(text) + fill : fill + std::string(text);
}

std::string Table::Render(std::string_view indent) const {
  std::vector<size_t> widths;
  for (size_t c = 0; c < columns_.size(); ++c) {
    size_t width = DisplayWidth(columns_[c].title);
    for (const auto& row : rows_) {
      width = std::max(width, DisplayWidth(Shown(row[c])));
    }
    widths.push_back(width);
  }
  std::string text;
  const auto add_line = [&](const auto& cell_of) {
    std::string line(indent);
    for (size_t c = 0; c < columns_.size(); ++c) {
      line += std::string(c == 0 ? 0 : kGap, ' ');
      line += Padded(cell_of(c), widths[c], columns_[c].align);
    }
    absl::StripTrailingAsciiWhitespace(&line);
    text += line + "\n";
  };
  add_line([&](size_t c) { return std::string_view(columns_[c].title); });
  for (const auto& row : rows_) {
    add_line([&](size_t c) { return Shown(row[c]); });
  }
  return text;
}

}  // namespace korder::cli
