#include "cli/order_file.h"

#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "api/v1alpha1/defaults.h"
#include "api/v1alpha1/names.h"
#include "api/v1alpha1/validation.h"
#include "base/status_macros.h"
#include "json/fields.h"
#include "kube/yaml_json.h"

namespace korder::cli {
namespace {

// What every object says of itself.
struct Header {
  std::string api_version;
  std::string kind;
  api::ObjectMeta metadata;
  std::vector<json::RawValue> items;  // of a list

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("apiVersion", self.api_version);
    v("kind", self.kind);
    v("metadata", self.metadata);
    v("items", self.items);
  }
};

std::string NameOf(const api::ObjectMeta& metadata) {
  if (!metadata.name.empty()) {
    return metadata.name;
  }
  return metadata.generate_name.empty() ? "(no name)" : metadata.generate_name + "*";
}

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

  absl::Status Add(std::string json) {
    Header header;
    RETURN_IF_ERROR(json::Parse(json, header));
    if (header.kind.empty() || header.api_version.empty()) {
      return InvalidArgumentError("apiVersion and kind: are required");
    }
    if (header.kind == "List" || header.kind == "OrderList" || header.kind == "TicketList") {
      for (json::RawValue& item : header.items) {
        RETURN_IF_ERROR(Add(std::move(item.text)));
      }
      return absl::OkStatus();
    }
    const bool ours = header.api_version == api::kApiVersion;
    if (ours && header.kind == api::Order::kResource.kind) {
      return Annotate(AddObject<api::Order>(std::move(json)), "Order " + NameOf(header.metadata));
    }
    if (ours && header.kind == api::Ticket::kResource.kind) {
      return Annotate(AddObject<api::Ticket>(std::move(json)), "Ticket " + NameOf(header.metadata));
    }
    file_.skipped.push_back(absl::StrCat(header.kind, " ", NameOf(header.metadata)));
    return absl::OkStatus();
  }
  OrderFile Take() { return std::move(file_); }

 private:
  template <class T>
  absl::Status AddObject(std::string json) {
    T object;
    RETURN_IF_ERROR(json::Parse(std::move(json), object));
    if (const auto errors = api::Validate(object); !errors.empty()) {
      return InvalidArgumentError(api::JoinErrors(errors));
    }
    CheckItem item{.kind = std::string(T::kResource.kind), .name = NameOf(object.metadata)};
    ASSIGN_OR_RETURN(item.ns, NamespaceOf(object.metadata));
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

  // As kubectl: what was asked for and what the object says must agree.
  absl::StatusOr<std::string> NamespaceOf(const api::ObjectMeta& metadata) const {
    if (metadata.ns.empty()) {
      return !options_.ns.empty()           ? options_.ns
             : !options_.default_ns.empty() ? options_.default_ns
                                            : std::string("default");
    }
    if (!options_.ns.empty() && options_.ns != metadata.ns) {
      return InvalidArgumentError(absl::StrCat("metadata.namespace: \"", metadata.ns,
                                               "\": does not agree with --namespace ",
                                               options_.ns));
    }
    return metadata.ns;
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
  const std::string source = options.source == "-" ? "standard input" : options.source;
  absl::StatusOr<std::vector<std::string>> documents = kube::YamlToJson(text);
  if (!documents.ok()) {
    return Annotate(documents.status(), source);
  }
  FileReader reader(options);
  for (std::string& document : *documents) {
    RETURN_IF_ERROR(Annotate(reader.Add(std::move(document)), source));
  }
  OrderFile file = reader.Take();
  if (file.items.empty()) {
    return InvalidArgumentError(absl::StrCat(source, ": there is no Order or Ticket of ",
                                             std::string(api::kApiVersion), " in it"));
  }
  return file;
}

}  // namespace korder::cli
