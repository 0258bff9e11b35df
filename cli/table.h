// Columns of text, aligned as kubectl aligns them. Pure.
//
//   Table table({{"NAME"}, {"USED", Align::kRight}});
//   table.AddRow({"team-quota", "12"});
//   out << table.Render();
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace korder::cli {

enum class Align { kLeft, kRight };

// How many columns of a terminal the text takes: its code points, without escape sequences.
size_t DisplayWidth(std::string_view text);
std::string Padded(std::string_view text, size_t width, Align align = Align::kLeft);

class Table {
 public:
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // An empty cell is shown as "-". REQUIRES: as many cells as there are columns.
  void AddRow(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }
  // With a line of titles; each line begins with `indent`.
  std::string Render(std::string_view indent = "") const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace korder::cli
