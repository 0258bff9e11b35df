#include "end_state.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "api/v1alpha1/defaults.h"
#include "api/v1alpha1/names.h"
#include "json/fields.h"

namespace korder::simulation {
namespace {

std::string Text(const std::vector<api::Condition>& conditions) {
  std::vector<std::string> words;
  for (const api::Condition& condition : conditions) {
    words.push_back(absl::StrCat(" ", condition.type, "=", std::string(api::Name(condition.status)),
                                 "/", condition.reason));
  }
  std::sort(words.begin(), words.end());
  std::string text;
  for (const std::string& word : words) {
    text += word;
  }
  return text;
}

std::string Line(const kube::ObjectKey& key, const api::Order& order) {
  const api::OrderStatus& status = order.status;
  const bool current = status.observed_generation == order.metadata.generation;
  return absl::StrCat("order ", key.ToString(), ": wants ", status.desired_replicas, ", has ",
                      status.replicas, " (", status.ready_replicas, " ready, ",
                      status.available_replicas, " available, ", status.claimed_replicas,
                      " claimed, ", status.updated_replicas, " updated), ",
                      status.terminal_replicas, " over;", Text(status.conditions),
                      current ? "" : "; the status is of an older spec");
}

std::string Line(const kube::ObjectKey& key, const api::Ticket& ticket) {
  const std::string_view order = api::ValueOf(ticket.metadata.labels, api::kLabelOrder);
  const api::TicketStatus& status = ticket.status;
  const bool timed = status.expiration_time && status.activation_time;
  return absl::StrCat(
      "ticket of ", order.empty() ? key.ToString() : absl::StrCat(key.ns, "/", std::string(order)),
      ": ", std::string(api::Name(status.phase)), "/", status.reason, ", cpu ",
      api::EffectiveRequests(ticket.spec).at("cpu").ToString(), ", for ",
      timed ? absl::FormatDuration(
                  absl::Trunc(*status.expiration_time - *status.activation_time, absl::Minutes(1)))
            : "ever",
      ", used ", status.utilization_rate, ", claimed by \"", status.claimed_pod, "\", handoff ",
      status.handoff ? "under way" : "none", ";", Text(status.conditions));
}

std::string Line(const kube::ObjectKey& key, const api::Pod& pod) {
  const std::string_view role = api::ValueOf(pod.metadata.labels, api::kLabelRole);
  if (!role.empty()) {
    return absl::StrCat(std::string(role), " of ", key.ns, "/",
                        std::string(api::ValueOf(pod.metadata.labels, api::kLabelOrder)), ": ",
                        pod.status.phase, api::IsBound(pod) ? "" : ", not bound");
  }
  const auto note = [&](std::string_view name) {
    return std::string(api::ValueOf(pod.metadata.annotations, name));
  };
  return absl::StrCat(
      "pod ", key.ToString(), ": ", pod.status.phase, api::IsBound(pod) ? "" : ", not bound",
      api::HasGate(pod, api::kGateClaim) ? ", gated" : "", ", claim ",
      std::string(api::ValueOf(pod.metadata.labels, api::kLabelClaim)), "/",
      note(api::kAnnotationClaimResult), " of order ", note(api::kAnnotationClaimedOrder));
}

std::string Text(const api::QuotaAmounts& amounts) {
  std::string text;
  for (const auto& [name, amount] : amounts) {
    absl::StrAppend(&text, " ", name, "=", amount);
  }
  return text;
}

std::string Line(const kube::ObjectKey& key, const api::Quota& quota) {
  const api::QuotaStatus& status = quota.status;
  const bool current = status.observed_generation == quota.metadata.generation;
  return absl::StrCat("quota ", key.name, ": hard", Text(status.hard), "; used", Text(status.used),
                      "; available", Text(status.available), ";", Text(status.conditions),
                      current ? "" : "; the status is of an older spec");
}

}  // namespace

std::vector<std::string> EndState(const World& world) {
  std::vector<std::string> lines;
  const auto tell = [&](const auto& shelf) {
    for (const auto& [key, object] : shelf.all()) {
      lines.push_back(Line(key, *object));
    }
  };
  tell(world.orders);
  tell(world.tickets);
  tell(world.pods);
  tell(world.quotas);
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::vector<std::string> Differences(const std::vector<std::string>& is,
                                     const std::vector<std::string>& should_be) {
  std::vector<std::string> lines;
  std::vector<std::string> only;
  std::set_difference(should_be.begin(), should_be.end(), is.begin(), is.end(),
                      std::back_inserter(only));
  for (const std::string& line : only) {
    lines.push_back("- " + line);
  }
  only.clear();
  std::set_difference(is.begin(), is.end(), should_be.begin(), should_be.end(),
                      std::back_inserter(only));
  for (const std::string& line : only) {
    lines.push_back("+ " + line);
  }
  return lines;
}

}  // namespace korder::simulation
