// Stretches of time as bars under an axis of days and hours, one line a row. Pure.
//
//   Timeline timeline(from, to, /*width=*/100, style);
//   timeline.AddRow("default/nightly", {{.start = a, .end = b, .kind = Stretch::Kind::kRunning}});
//   out << timeline.Render();
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cli/style.h"

namespace korder::cli {

struct Stretch {
  // Where two meet in one column, the later kind of these is drawn.
  enum class Kind { kSkipped, kPaused, kPlanned, kRunning };

  absl::Time start;
  absl::Time end;
  Kind kind = Kind::kPlanned;
};

class Timeline {
 public:
  // Shows [from, to) in lines of at most `width` columns, in UTC. REQUIRES: from < to, width >= 40.
  Timeline(absl::Time from, absl::Time to, size_t width, Style style);

  // A name that is too long loses its end.
  void AddRow(std::string name, std::vector<Stretch> stretches);
  // The axis, the rows, and what the signs mean. Every stretch has at least one column.
  std::string Render() const;

 private:
  struct Row {
    std::string name;
    std::vector<Stretch> stretches;
  };
  class Canvas;

  const absl::Time from_;
  const absl::Time to_;
  const size_t width_;
  const Style style_;
  std::vector<Row> rows_;
};

}  // namespace korder::cli
