#include "single_report.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "json/fields.h"

namespace korder::simulation {
namespace {

// To the width of a column.
std::string Padded(std::string text, size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

}  // namespace

std::string ReplayLine(const Stage& stage, const std::vector<Single>& singles) {
  const Stage usual;
  std::string line = "single_faults";
  if (stage.kubernetes != usual.kubernetes) {
    absl::StrAppend(&line, " --kubernetes ", stage.kubernetes);
  }
  if (stage.replicas != usual.replicas) {
    absl::StrAppend(&line, " --replicas ", stage.replicas);
  }
  if (stage.seed != usual.seed) {
    absl::StrAppend(&line, " --seed ", stage.seed);
  }
  for (const Single& single : singles) {
    absl::StrAppend(&line, " --single '", TextOf(single), "'");
  }
  return line;
}

SingleReport::SingleReport(const Stage& stage, const Play& peace) : stage_(stage), peace_(peace) {
  for (const Sent& sent : peace.sent) {
    Site& site = sites_[sent.site];
    site.site = sent.site;
    ++site.messages;
  }
}

void SingleReport::Add(const std::vector<Single>& singles, const std::optional<Broken>& wrong) {
  const std::lock_guard lock(mu_);
  ++plays_;
  for (const Single& single : singles) {
    Site& site = sites_[single.site];
    ++site.plays;
    site.failed += wrong ? 1 : 0;
  }
  if (!wrong) {
    return;
  }
  const auto sent = std::find_if(peace_.sent.begin(), peace_.sent.end(), [&](const Sent& s) {
    return s.site == singles[0].site && s.ordinal == singles[0].ordinal;
  });
  std::string replay = ReplayLine(stage_, singles);
  failures_[replay] = {.replay = replay,
                       .about = sent == peace_.sent.end() ? "" : sent->about,
                       .invariant = wrong->invariant,
                       .what = wrong->what};
}

int SingleReport::failures() const {
  const std::lock_guard lock(mu_);
  return static_cast<int>(failures_.size());
}

SingleReport::Everything SingleReport::Summary(absl::Duration took) const {
  const std::lock_guard lock(mu_);
  Everything all{.kubernetes = stage_.kubernetes,
                 .replicas = stage_.replicas,
                 .messages = static_cast<int64_t>(peace_.sent.size()),
                 .plays = plays_,
                 .seconds = absl::ToInt64Seconds(took)};
  for (const auto& [name, site] : sites_) {
    all.sites.push_back(site);
  }
  for (const auto& [replay, failure] : failures_) {
    all.failures.push_back(failure);
  }
  return all;
}

std::string SingleReport::AsJson(absl::Duration took) const {
  return json::Print(Summary(took)) + "\n";
}

std::string SingleReport::AsText(absl::Duration took) const {
  const Everything all = Summary(took);
  std::string text = absl::StrCat(Padded("call site", 44), "  messages  plays  failed\n");
  for (const Site& site : all.sites) {
    absl::StrAppend(&text, Padded(site.site, 44), "  ", Padded(absl::StrCat(site.messages), 8),
                    "  ", Padded(absl::StrCat(site.plays), 5), "  ", site.failed, "\n");
  }
  for (const Failure& failure : all.failures) {
    absl::StrAppend(&text, "FAILED ", failure.invariant, ": ", failure.what, "\n  (", failure.about,
                    ")\n  ", failure.replay, "\n");
  }
  absl::StrAppend(&text, all.messages, " messages from ", all.sites.size(),
                  " call sites (Kubernetes 1.", all.kubernetes, ", ", all.replicas,
                  " of each service): ", all.plays, " plays, ", all.failures.size(), " failed, in ",
                  all.seconds, " s\n");
  return text;
}

}  // namespace korder::simulation
