#include "cli/quota_view.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "api/v1alpha1/quota.h"
#include "api/value/quantity.h"
#include "cli/structured.h"
#include "cli/table.h"
#include "cli/text.h"
#include "json/writer.h"

namespace korder::cli {
namespace {

constexpr std::string_view kCpu = "reserved.cpu";
constexpr std::string_view kMemory = "reserved.memory";

int Rank(std::string_view resource) {
  constexpr std::string_view kFirst[] = {api::kQuotaOrders, api::kQuotaTickets, kCpu, kMemory};
  const auto* const it = std::find(std::begin(kFirst), std::end(kFirst), resource);
  if (it != std::end(kFirst)) {
    return static_cast<int>(it - std::begin(kFirst));
  }
  return resource == api::kQuotaMaxDuration ? 10 : 5;
}

const pb::QuotaUsage::Entry* Find(const pb::QuotaUsage& quota, std::string_view resource) {
  const auto it =
      std::find_if(quota.entries().begin(), quota.entries().end(),
                   [&](const pb::QuotaUsage::Entry& e) { return e.resource() == resource; });
  return it == quota.entries().end() ? nullptr : &*it;
}

// "12/50"; empty when the quota says nothing of it.
std::string UsedOfHard(const pb::QuotaUsage& quota, std::string_view resource) {
  const pb::QuotaUsage::Entry* entry = Find(quota, resource);
  return entry == nullptr ? "" : absl::StrCat(entry->used(), "/", entry->hard());
}

// Resources that have no column of their own in the narrow table.
std::vector<std::string> OtherResources(const std::vector<const pb::QuotaUsage*>& quotas) {
  std::set<std::string> found;
  for (const pb::QuotaUsage* quota : quotas) {
    for (const auto& entry : quota->entries()) {
      if (Rank(entry.resource()) == 5) {
        found.insert(entry.resource());
      }
    }
  }
  return {found.begin(), found.end()};
}

std::string TitleOf(std::string_view resource) {
  if (resource.starts_with(api::kQuotaReservedPrefix)) {
    resource.remove_prefix(api::kQuotaReservedPrefix.size());
  }
  return absl::AsciiStrToUpper({resource.data(), resource.size()});
}

std::string NextChange(const pb::QuotaUsage& quota, absl::Time now) {
  return quota.has_next_transition_time()
             ? ShortDuration(FromProto(quota.next_transition_time()) - now)
             : "";
}

std::string QuotaTable(const std::vector<const pb::QuotaUsage*>& quotas, bool wide,
                       absl::Time now) {
  std::vector<Table::Column> columns = {{"NAME"},    {"SCOPE"}, {"WINDOW"}, {"ORDERS"},
                                        {"TICKETS"}, {"CPU"},   {"MEMORY"}};
  std::vector<std::string> others;
  if (wide) {
    others = OtherResources(quotas);
    for (const std::string& resource : others) {
      columns.push_back({TitleOf(resource)});
    }
    columns.insert(columns.end(), {{"MAX-DURATION"}, {"NAMESPACES"}, {"CHANGES-IN"}});
  }
  Table table(std::move(columns));
  for (const pb::QuotaUsage* quota : quotas) {
    std::vector<std::string> row = {quota->quota(),
                                    quota->scope(),
                                    quota->active_time_window(),
                                    UsedOfHard(*quota, api::kQuotaOrders),
                                    UsedOfHard(*quota, api::kQuotaTickets),
                                    UsedOfHard(*quota, kCpu),
                                    UsedOfHard(*quota, kMemory)};
    if (wide) {
      for (const std::string& resource : others) {
        row.push_back(UsedOfHard(*quota, resource));
      }
      const pb::QuotaUsage::Entry* longest = Find(*quota, api::kQuotaMaxDuration);
      row.push_back(longest == nullptr ? "" : longest->hard());
      row.push_back(quota->allocations().empty() ? "" : absl::StrCat(quota->allocations_size()));
      row.push_back(NextChange(*quota, now));
    }
    table.AddRow(std::move(row));
  }
  return table.Render();
}

void WriteEntries(json::Writer& w, const Entries& entries) {
  w.Key("resources");
  w.BeginArray();
  for (const pb::QuotaUsage::Entry* entry : InReadingOrder(entries)) {
    w.BeginObject();
    w.Key("resource");
    w.String(entry->resource());
    w.Key("hard");
    w.String(entry->hard());
    if (entry->resource() != api::kQuotaMaxDuration) {
      w.Key("used");
      w.String(entry->used());
      w.Key("available");
      w.String(entry->available());
      w.Key("ratio");
      w.Double(UseRatio(*entry));
    }
    w.EndObject();
  }
  w.EndArray();
}

}  // namespace

double UseRatio(const pb::QuotaUsage::Entry& entry) {
  const auto used = api::Quantity::Parse(entry.used());
  const auto hard = api::Quantity::Parse(entry.hard());
  if (!used.ok() || !hard.ok()) {
    return 0;
  }
  // Nothing of nothing is all there is.
  return hard->IsZero() ? 1
                        : static_cast<double>(used->nanos()) / static_cast<double>(hard->nanos());
}

std::vector<const pb::QuotaUsage::Entry*> InReadingOrder(const Entries& entries) {
  std::vector<const pb::QuotaUsage::Entry*> sorted;
  for (const pb::QuotaUsage::Entry& entry : entries) {
    sorted.push_back(&entry);
  }
  std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
    return std::make_tuple(Rank(a->resource()), std::string_view(a->resource())) <
           std::make_tuple(Rank(b->resource()), std::string_view(b->resource()));
  });
  return sorted;
}

void WriteQuota(json::Writer& w, const pb::QuotaUsage& quota) {
  w.BeginObject();
  w.Key("name");
  w.String(quota.quota());
  w.Key("scope");
  w.String(quota.scope());
  if (!quota.active_time_window().empty()) {
    w.Key("activeTimeWindow");
    w.String(quota.active_time_window());
  }
  if (quota.has_next_transition_time()) {
    w.Key("nextTransitionTime");
    w.String(TimeText(FromProto(quota.next_transition_time())));
  }
  w.Key("generation");
  w.Int64(quota.generation());
  WriteEntries(w, quota.entries());
  if (!quota.allocations().empty()) {
    w.Key("allocations");
    w.BeginArray();
    for (const pb::QuotaUsage::Allocation& allocation : quota.allocations()) {
      w.BeginObject();
      w.Key("namespace");
      w.String(allocation.namespace_());
      WriteEntries(w, allocation.entries());
      w.EndObject();
    }
    w.EndArray();
  }
  w.EndObject();
}

std::string QuotaList(const pb::QueryResponse& response, const Style& style, absl::Time now) {
  if (style.format == Format::kTable || style.format == Format::kWide) {
    std::vector<const pb::QuotaUsage*> quotas;
    for (const pb::QuotaUsage& quota : response.quotas()) {
      quotas.push_back(&quota);
    }
    return QuotaTable(quotas, style.format == Format::kWide, now);
  }
  json::Writer w;
  w.BeginObject();
  w.Key("epoch");
  w.Int64(response.epoch());
  w.Key("quotas");
  w.BeginArray();
  for (const pb::QuotaUsage& quota : response.quotas()) {
    WriteQuota(w, quota);
  }
  w.EndArray();
  w.EndObject();
  return Structured(w.Take(), style.format);
}

std::string QuotaAlone(const pb::QuotaUsage& quota, const Style& style, absl::Time now) {
  if (style.format == Format::kTable || style.format == Format::kWide) {
    return QuotaTable({&quota}, style.format == Format::kWide, now);
  }
  json::Writer w;
  WriteQuota(w, quota);
  return Structured(w.Take(), style.format);
}

}  // namespace korder::cli
