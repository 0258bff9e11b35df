#include "cli/watch_view.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "api/v1alpha1/quota.h"
#include "api/value/quantity.h"
#include "cli/quota_view.h"
#include "cli/structured.h"
#include "cli/text.h"
#include "json/writer.h"

namespace korder::cli {
namespace {

bool Same(const pb::QuotaUsage& a, const pb::QuotaUsage& b) {
  return a.SerializeAsString() == b.SerializeAsString();  // no maps in it: same value, same bytes
}

const pb::QuotaUsage::Entry* Find(const Entries& entries, const std::string& resource) {
  for (const pb::QuotaUsage::Entry& entry : entries) {
    if (entry.resource() == resource) {
      return &entry;
    }
  }
  return nullptr;
}

// " (+2)"; empty when nothing was before, or it cannot be told.
std::string Difference(const pb::QuotaUsage::Entry* before, const pb::QuotaUsage::Entry& now) {
  const auto a = api::Quantity::Parse(before == nullptr ? "" : before->used());
  const auto b = api::Quantity::Parse(now.used());
  if (!a.ok() || !b.ok() || *a == *b) {
    return "";
  }
  const auto difference = b->Sub(*a);
  return difference.ok()
             ? absl::StrCat(" (", difference->IsNegative() ? "" : "+", difference->ToString(), ")")
             : "";
}

std::string EntryText(const pb::QuotaUsage::Entry* before, const pb::QuotaUsage::Entry& now) {
  std::string text = absl::StrCat(now.resource(), " ", now.used(), now.used().empty() ? "" : "/",
                                  now.hard(), Difference(before, now));
  if (before != nullptr && before->hard() != now.hard()) {
    absl::StrAppend(&text, ", limit was ", before->hard());
  }
  return text;
}

void AddEntries(const Entries* before, const Entries& now, std::string_view prefix,
                std::vector<std::string>& parts) {
  for (const pb::QuotaUsage::Entry* entry : InReadingOrder(now)) {
    const auto* old = before == nullptr ? nullptr : Find(*before, entry->resource());
    if (old == nullptr || old->used() != entry->used() || old->hard() != entry->hard()) {
      parts.push_back(absl::StrCat(std::string(prefix), EntryText(old, *entry)));
    }
  }
  for (int i = 0; before != nullptr && i < before->size(); ++i) {
    if (Find(now, before->Get(i).resource()) == nullptr) {
      parts.push_back(absl::StrCat(std::string(prefix), before->Get(i).resource(), " unlimited"));
    }
  }
}

const Entries* AllocationOf(const pb::QuotaUsage* quota, const std::string& ns) {
  if (quota != nullptr) {
    for (const pb::QuotaUsage::Allocation& allocation : quota->allocations()) {
      if (allocation.namespace_() == ns) {
        return &allocation.entries();
      }
    }
  }
  return nullptr;
}

// What is new, or all there is when nothing is known of before.
std::string Summary(const pb::QuotaUsage* before, const pb::QuotaUsage& now) {
  std::vector<std::string> parts;
  const std::string window = before == nullptr ? "" : before->active_time_window();
  if (window != now.active_time_window()) {
    parts.push_back(now.active_time_window().empty()
                        ? absl::StrCat("window ", window, " closed")
                        : absl::StrCat("window ", now.active_time_window()));
  }
  AddEntries(before == nullptr ? nullptr : &before->entries(), now.entries(), "", parts);
  for (const pb::QuotaUsage::Allocation& allocation : now.allocations()) {
    AddEntries(AllocationOf(before, allocation.namespace_()), allocation.entries(),
               absl::StrCat(allocation.namespace_(), ": "), parts);
  }
  return parts.empty() ? "changed" : absl::StrJoin(parts, "; ");
}

std::string_view TypeOf(const QuotaChange& change) {
  return !change.now ? "Deleted" : change.before ? "Modified" : "Added";
}

std::string ChangeJson(const QuotaChange& change, absl::Time now) {
  json::Writer w;
  w.BeginObject();
  w.Key("time");
  w.String(TimeText(now));
  w.Key("type");
  w.String(TypeOf(change));
  w.Key("quota");
  WriteQuota(w, change.now ? *change.now : *change.before);
  w.EndObject();
  return w.Take();
}

}  // namespace

std::vector<QuotaChange> WatchBook::Apply(const pb::WatchResponse& response, bool first_of_stream) {
  epoch_ = std::max(epoch_, response.epoch());
  std::set<std::string> gone(response.deleted_quotas().begin(), response.deleted_quotas().end());
  if (first_of_stream) {
    for (const auto& [name, usage] : known_) {
      gone.insert(name);
    }
    for (const pb::QuotaUsage& usage : response.quotas()) {
      gone.erase(usage.quota());
    }
  }
  std::vector<QuotaChange> changes;
  for (const pb::QuotaUsage& usage : response.quotas()) {
    const auto [it, is_new] = known_.try_emplace(usage.quota(), usage);
    if (is_new) {
      changes.push_back({.before = std::nullopt, .now = usage});
    } else if (!Same(it->second, usage)) {
      changes.push_back({.before = std::exchange(it->second, usage), .now = usage});
    }
  }
  for (const std::string& name : gone) {
    if (auto node = known_.extract(name)) {
      changes.push_back({.before = std::move(node.mapped()), .now = std::nullopt});
    }
  }
  return changes;
}

std::string ChangeText(const QuotaChange& change, const Style& style, absl::Time now) {
  if (style.format == Format::kJson) {
    return ChangeJson(change, now) + "\n";
  }
  if (style.format == Format::kYaml) {
    return "---\n" + YamlFromJson(ChangeJson(change, now));
  }
  const std::string time = absl::FormatTime("%H:%M:%SZ", now, absl::UTCTimeZone());
  const std::string& name = change.now ? change.now->quota() : change.before->quota();
  const std::string what = change.now
                               ? Summary(change.before ? &*change.before : nullptr, *change.now)
                               : Painted("deleted", "31", style.color);
  return absl::StrCat(time, "  ", Painted(name, "1", style.color), "  ", what, "\n");
}

}  // namespace korder::cli
