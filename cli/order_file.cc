#include "cli/order_file.h"

#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "api/v1alpha1/defaults.h"
#include "api/v1alpha1/names.h"
#include "api/v1alpha1/validation.h"
#include "base/status_macros.h"
#include "cli/manifest.h"
#include "json/fields.h"

namespace korder::cli {
namespace {

void FillClaim(const api::TicketSpec& spec, const api::Labels& labels, pb::Claim& claim) {
  for (const auto& [resource, amount] : api::EffectiveRequests(spec)) {
    (*claim.mutable_requests())[resource] = amount.ToString();
  }
  if (spec.duration) {
    const absl::Duration duration = spec.duration->value();
    const int64_t seconds = absl::ToInt64Seconds(duration);
    claim.mutable_duration()->set_seconds(seconds);
    claim.mutable_duration()->set_nanos(
        static_cast<int32_t>(absl::ToInt64Nanoseconds(duration - absl::Seconds(seconds))));
  }
  claim.mutable_labels()->insert(labels.begin(), labels.end());
}

class FileReader {
 public:
  explicit FileReader(const OrderFileOptions& options) : options_(options) {}

  absl::Status Add(const Manifest& manifest) {
    if (manifest.Is(api::kApiVersion, api::Order::kResource.kind)) {
      return AddObject<api::Order>(manifest);
    }
    if (manifest.Is(api::kApiVersion, api::Ticket::kResource.kind)) {
      return AddObject<api::Ticket>(manifest);
    }
    file_.skipped.push_back(manifest.Title());
    return absl::OkStatus();
  }
  OrderFile Take() { return std::move(file_); }

 private:
  template <class T>
  absl::Status AddObject(const Manifest& manifest) {
    T object;
    RETURN_IF_ERROR(json::Parse(manifest.json, object));
    if (const auto errors = api::Validate(object); !errors.empty()) {
      return InvalidArgumentError(api::JoinErrors(errors));
    }
    CheckItem item{.kind = std::string(T::kResource.kind), .name = manifest.Name()};
    ASSIGN_OR_RETURN(item.ns, manifest.Namespace(options_.ns, options_.default_ns));
    item.request.set_namespace_(item.ns);
    if (options_.at) {
      const int64_t seconds = absl::ToUnixSeconds(*options_.at);
      item.request.mutable_time()->set_seconds(seconds);
      item.request.mutable_time()->set_nanos(static_cast<int32_t>(
          absl::ToInt64Nanoseconds(*options_.at - absl::FromUnixSeconds(seconds))));
    }
    Fill(object, item);
    file_.items.push_back(std::move(item));
    return absl::OkStatus();
  }

  // As order-svc makes the tickets of an order.
  void Fill(const api::Order& order, CheckItem& item) const {
    const api::TicketTemplate& tickets = order.spec.ticket_template;
    api::Labels labels = tickets.metadata.labels;
    labels[std::string(api::kLabelOrder)] = order.metadata.name;
    FillClaim(tickets.spec, labels, *item.request.mutable_claim());
    item.request.set_order(true);
    item.request.mutable_order_labels()->insert(order.metadata.labels.begin(),
                                                order.metadata.labels.end());
    item.request.set_tickets(order.spec.daemon_set ? 0 : order.spec.replicas);
    item.daemon_set = order.spec.daemon_set;
    item.spec = tickets.spec;
    item.order = order;
    if (order.spec.strategy.type == api::StrategyType::kScheduled && !options_.at) {
      item.notes.push_back(
          "judged by the limits of now; for those at the time of its schedule use --at");
    }
    if (order.spec.paused) {
      item.notes.push_back("the order is paused: it takes no tickets until it is resumed");
    }
  }
  static void Fill(const api::Ticket& ticket, CheckItem& item) {
    FillClaim(ticket.spec, ticket.metadata.labels, *item.request.mutable_claim());
    item.request.set_tickets(1);
    item.spec = ticket.spec;
  }

  const OrderFileOptions& options_;
  OrderFile file_;
};

}  // namespace

std::string CheckItem::Title() const {
  return absl::StrCat(absl::AsciiStrToLower(kind), " ", ns, "/", name);
}

absl::StatusOr<OrderFile> ReadOrderFile(const std::string& text, const OrderFileOptions& options) {
  FileReader reader(options);
  RETURN_IF_ERROR(ReadManifests(text, options.source,
                                [&](const Manifest& manifest) { return reader.Add(manifest); }));
  OrderFile file = reader.Take();
  if (file.items.empty()) {
    return InvalidArgumentError(absl::StrCat(SourceName(options.source),
                                             ": there is no Order or Ticket of ",
                                             std::string(api::kApiVersion), " in it"));
  }
  return file;
}

}  // namespace korder::cli
