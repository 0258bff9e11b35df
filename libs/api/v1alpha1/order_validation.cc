#include <string>

#include "api/v1alpha1/calendar.h"
#include "api/v1alpha1/schedule_validation.h"
#include "api/v1alpha1/ticket_spec_validation.h"
#include "api/v1alpha1/validation.h"

namespace korder::api {
namespace {

constexpr size_t kMaxName = 63;
// What the API server allows for all annotations of an object together.
constexpr size_t kMaxAnnotations = 256UL * 1024;

void CheckCount(int32_t value, const FieldPath& path, Problems& problems) {
  if (value < 0) {
    problems.Add(path, std::to_string(value), "must be 0 or more");
  }
}

void ValidateStrategy(const OrderStrategy& strategy, const FieldPath& path, Problems& problems) {
  const std::string type(Name(strategy.type));
  if (strategy.type == StrategyType::kOneTime) {
    if (!strategy.schedule.empty()) {
      problems.Add(path / "schedule", strategy.schedule,
                   "is not allowed for strategy type OneTime");
    }
    CheckTimeZone(strategy.time_zone, path / "timeZone", problems);
  } else if (strategy.schedule.empty()) {
    problems.Missing(path / "schedule", "is needed for strategy type " + type);
    CheckTimeZone(strategy.time_zone, path / "timeZone", problems);
  } else {
    CheckSchedule(strategy.schedule, strategy.time_zone, path, problems);
  }
  CheckNotNegative(strategy.lead_time, path / "leadTime", problems);
  CheckPositive(strategy.starting_deadline, path / "startingDeadline", problems);
  for (size_t i = 0; i < strategy.skip.size(); ++i) {
    problems.AddIf((path / "skip")[i], strategy.skip[i],
                   Message(ParseSkipEntry(strategy.skip[i]).status()));
  }
}

void ValidateStart(const OrderSpec& spec, const FieldPath& path, Problems& problems) {
  if (spec.strategy.type == StrategyType::kScheduled && spec.ticket_template.spec.start_time) {
    problems.Missing(path / "template" / "spec" / "startTime",
                     "is not allowed for strategy type Scheduled: the schedule says when");
  }
}

void ValidateOwnPrefix(std::string_view key, const FieldPath& path, Problems& problems) {
  if (key.starts_with(kPrefix)) {
    problems.Add(path, key, "names under korder.dev/ are set by korder itself");
  }
}

void ValidateTemplateMeta(const TemplateMeta& meta, const FieldPath& path, Problems& problems) {
  problems.Append(CheckLabels(meta.labels, (path / "labels").text()));
  for (const auto& [key, value] : meta.labels) {
    ValidateOwnPrefix(key, path / "labels", problems);
  }
  size_t size = 0;
  for (const auto& [key, value] : meta.annotations) {
    problems.AddIf(path / "annotations", key, LabelKeyProblem(key));
    ValidateOwnPrefix(key, path / "annotations", problems);
    size += key.size() + value.size();
  }
  if (size > kMaxAnnotations) {
    problems.Missing(path / "annotations", "can have at most 256 KiB together");
  }
}

void ValidateSelector(const Order& order, const FieldPath& path, Problems& problems) {
  if (!order.spec.selector.has_value()) {
    return;
  }
  std::vector<FieldError> errors = Validate(*order.spec.selector, path.text());
  Labels labels = order.spec.ticket_template.metadata.labels;
  labels[std::string(kLabelOrder)] = order.metadata.name;
  if (errors.empty() && !order.spec.selector->Matches(labels)) {
    problems.Add(
        path, order.spec.selector->ToString(),
        "must match the labels of the template (and korder.dev/order=" + order.metadata.name + ")");
  }
  problems.Append(std::move(errors));
}

}  // namespace

std::vector<FieldError> Validate(const Order& order) {
  Problems problems;
  if (order.metadata.name.size() > kMaxName) {
    problems.Add(FieldPath("metadata.name"), order.metadata.name,
                 "can have at most 63 characters: it is also the value of the label "
                 "korder.dev/order");
  }
  const FieldPath spec("spec");
  CheckCount(order.spec.replicas, spec / "replicas", problems);
  ValidateStrategy(order.spec.strategy, spec / "strategy", problems);
  ValidateSelector(order, spec / "selector", problems);
  CheckCount(order.spec.min_ready_seconds, spec / "minReadySeconds", problems);
  const TicketTemplate& tmpl = order.spec.ticket_template;
  ValidateTemplateMeta(tmpl.metadata, spec / "template" / "metadata", problems);
  ValidateTicketSpec(tmpl.spec, spec / "template" / "spec", problems);
  ValidateStart(order.spec, spec, problems);
  return problems.Take();
}

std::vector<FieldError> ValidateUpdate(const Order& old, const Order& now) {
  if (now.metadata.deleting()) {
    return {};
  }
  Problems problems;
  problems.Append(Validate(now));
  if (!(old.spec.selector == now.spec.selector)) {
    problems.Missing(FieldPath("spec.selector"), "is immutable");
  }
  return problems.Take();
}

}  // namespace korder::api
