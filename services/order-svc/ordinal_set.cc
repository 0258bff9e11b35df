#include "order-svc/ordinal_set.h"

#include <iterator>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace korder::order {

absl::StatusOr<OrdinalSet> OrdinalSet::Parse(std::string_view text) {
  OrdinalSet set;
  if (text.empty()) {
    return set;
  }
  const absl::string_view whole(text.data(), text.size());
  int64_t previous = -1;
  for (const absl::string_view run : absl::StrSplit(whole, ',')) {
    const std::pair<absl::string_view, absl::string_view> ends =
        absl::StrSplit(run, absl::MaxSplits('-', 1));
    int64_t first = 0;
    int64_t last = 0;
    const bool is_range = run.find('-') != absl::string_view::npos;
    if (!absl::SimpleAtoi(ends.first, &first) ||
        !absl::SimpleAtoi(is_range ? ends.second : ends.first, &last) || first <= previous ||
        last < first) {
      return InvalidArgumentError(
          absl::StrCat("\"", whole, "\" is not a list of ascending ranges"));
    }
    set.runs_[first] = last;
    set.size_ += last - first + 1;
    // Ranges that touch ("0-2,3") were not written by us, but mean the same.
    previous = last;
  }
  return set;
}

std::string OrdinalSet::ToString() const {
  std::string text;
  for (const auto& [first, last] : runs_) {
    absl::StrAppend(&text, text.empty() ? "" : ",", first);
    if (last > first) {
      absl::StrAppend(&text, "-", last);
    }
  }
  return text;
}

bool OrdinalSet::Contains(int64_t ordinal) const {
  const auto after = runs_.upper_bound(ordinal);
  return after != runs_.begin() && std::prev(after)->second >= ordinal;
}

void OrdinalSet::Add(int64_t ordinal) {
  if (Contains(ordinal)) {
    return;
  }
  ++size_;
  int64_t first = ordinal;
  int64_t last = ordinal;
  const auto after = runs_.upper_bound(ordinal);
  if (after != runs_.end() && after->first == ordinal + 1) {
    last = after->second;
    runs_.erase(after);
  }
  const auto next = runs_.upper_bound(ordinal);
  if (next != runs_.begin() && std::prev(next)->second == ordinal - 1) {
    first = std::prev(next)->first;
  }
  runs_[first] = last;
}

void OrdinalSet::Remove(int64_t ordinal) {
  if (!Contains(ordinal)) {
    return;
  }
  --size_;
  const auto run = std::prev(runs_.upper_bound(ordinal));
  const auto [first, last] = *run;
  runs_.erase(run);
  if (first < ordinal) {
    runs_[first] = ordinal - 1;
  }
  if (ordinal < last) {
    runs_[ordinal + 1] = last;
  }
}

std::vector<int64_t> OrdinalSet::Values() const {
  std::vector<int64_t> values;
  values.reserve(static_cast<size_t>(size_));
  for (const auto& [first, last] : runs_) {
    for (int64_t ordinal = first; ordinal <= last; ++ordinal) {
      values.push_back(ordinal);
    }
  }
  return values;
}

}  // namespace korder::order
