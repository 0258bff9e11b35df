#include "cli/usage_view.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "api/v1alpha1/quota.h"
#include "cli/quota_view.h"
#include "cli/table.h"
#include "cli/text.h"

namespace korder::cli {
namespace {

constexpr int kBarWidth = 20;
constexpr double kTight = 0.75;
constexpr double kNearlyFull = 0.90;

std::string_view ColorOf(double ratio) {
  return ratio >= kNearlyFull ? "31" : ratio >= kTight ? "33" : "32";
}

// A line of the picture: a heading (only `label`), or one limit.
struct Line {
  std::string label;
  std::string used;
  std::string hard;
  std::string percent;
  std::string rest;
};

void AddEntries(const Entries& entries, std::string_view indent, const Style& style,
                std::vector<Line>& lines) {
  for (const pb::QuotaUsage::Entry* entry : InReadingOrder(entries)) {
    const std::string label = absl::StrCat(std::string(indent), entry->resource());
    if (entry->resource() == api::kQuotaMaxDuration) {
      lines.push_back({.label = label, .hard = entry->hard(), .rest = "for each ticket"});
      continue;
    }
    const double ratio = UseRatio(*entry);
    const std::string over = ratio > 1 ? "  over the limit" : "";
    lines.push_back(
        {.label = label,
         .used = entry->used(),
         .hard = entry->hard(),
         .percent = PercentText(ratio),
         .rest = Bar(ratio, kBarWidth, style) + Painted(over, "31", style.color && !over.empty())});
  }
}

std::string Heading(const pb::QuotaUsage& quota, const Style& style, absl::Time now) {
  std::string text = Painted(quota.quota(), "1", style.color);
  if (!quota.scope().empty()) {
    absl::StrAppend(&text, "   ", quota.scope());
  }
  if (!quota.active_time_window().empty()) {
    absl::StrAppend(&text, "   window ", quota.active_time_window());
  }
  if (quota.has_next_transition_time()) {
    absl::StrAppend(&text, "   changes ", WhenText(FromProto(quota.next_transition_time()), now));
  }
  return text;
}

struct Widths {
  size_t label = 0;
  size_t used = 0;
  size_t hard = 0;
  size_t percent = 0;
};

std::string Render(const Line& line, const Widths& widths) {
  if (line.hard.empty()) {
    return line.label + "\n";
  }
  const std::string slash = line.used.empty() ? "   " : " / ";
  return absl::StrCat(Padded(line.label, widths.label), "  ",
                      Padded(line.used, widths.used, Align::kRight), slash,
                      Padded(line.hard, widths.hard, Align::kLeft), "  ",
                      Padded(line.percent, widths.percent, Align::kRight), "  ", line.rest, "\n");
}

}  // namespace

std::string PercentText(double ratio) {
  if (ratio > 0 && ratio < 0.01) {
    return "<1%";
  }
  // A hair below a whole number is that number: 0.29 * 100 is 28.999999999999996.
  const double percent = std::floor(ratio * 100 + 1e-9);
  return absl::StrCat(static_cast<int64_t>(std::min(percent, 1e9)), "%");
}

std::string Bar(double ratio, int width, const Style& style) {
  int full = static_cast<int>(std::floor(std::clamp(ratio, 0.0, 1.0) * width + 1e-9));
  if (ratio > 0) {
    full = std::max(full, 1);
  }
  if (ratio < 1) {
    full = std::min(full, width - 1);
  }
  std::string filled;
  std::string rest;
  for (int i = 0; i < width; ++i) {
    if (i < full) {
      filled += style.unicode ? "█" : "#";
    } else {
      rest += style.unicode ? "░" : ".";
    }
  }
  return Painted(filled, ColorOf(ratio), style.color && full > 0) + rest;
}

std::string QuotaUsageBars(const pb::QueryResponse& response, const Style& style, absl::Time now) {
  std::vector<Line> lines;
  for (const pb::QuotaUsage& quota : response.quotas()) {
    if (!lines.empty()) {
      lines.emplace_back();
    }
    lines.push_back({.label = Heading(quota, style, now)});
    AddEntries(quota.entries(), "  ", style, lines);
    for (const pb::QuotaUsage::Allocation& allocation : quota.allocations()) {
      lines.push_back({.label = absl::StrCat("  of it, namespace ", allocation.namespace_())});
      AddEntries(allocation.entries(), "    ", style, lines);
    }
  }
  Widths widths;
  for (const Line& line : lines) {
    if (!line.hard.empty()) {
      widths.label = std::max(widths.label, DisplayWidth(line.label));
      widths.used = std::max(widths.used, DisplayWidth(line.used));
      widths.hard = std::max(widths.hard, DisplayWidth(line.hard));
      widths.percent = std::max(widths.percent, DisplayWidth(line.percent));
    }
  }
  std::string text;
  for (const Line& line : lines) {
    text += Render(line, widths);
  }
  return text;
}

}  // namespace korder::cli
