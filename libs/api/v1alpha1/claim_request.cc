#include "api/v1alpha1/claim_request.h"

#include <array>
#include <optional>
#include <utility>

#include "api/meta/dns_name.h"
#include "api/meta/problems.h"
#include "api/v1alpha1/names.h"
#include "api/v1alpha1/schedule_validation.h"

namespace korder::api {
namespace {

// The words of annotations, in the order of the enumerators.
constexpr auto kModes = std::to_array<std::string_view>({kModePreferred, kModeRequired});
constexpr auto kFallbacks =
    std::to_array<std::string_view>({kFallbackSchedule, kFallbackWait, kFallbackDeny});

// A value and the place where it was found.
struct Setting {
  std::string value;
  FieldPath path;
};

std::optional<Setting> Find(const ObjectMeta& pod, std::string_view key) {
  if (const auto it = pod.annotations.find(key); it != pod.annotations.end()) {
    return Setting{it->second, FieldPath("metadata.annotations").Key(key)};
  }
  if (const auto it = pod.labels.find(key); it != pod.labels.end()) {
    return Setting{it->second, FieldPath("metadata.labels").Key(key)};
  }
  return std::nullopt;
}

void ReadName(const ObjectMeta& pod, std::string_view key, std::string& out, Problems& problems) {
  const std::optional<Setting> setting = Find(pod, key);
  if (!setting) {
    return;
  }
  const std::string problem = DnsSubdomainProblem(setting->value);
  problems.AddIf(setting->path, setting->value, problem);
  if (problem.empty()) {
    out = setting->value;
  }
}

template <class E, size_t N>
void ReadWord(const ObjectMeta& pod, std::string_view key,
              const std::array<std::string_view, N>& words, E& out, Problems& problems) {
  const std::optional<Setting> setting = Find(pod, key);
  if (!setting) {
    return;
  }
  for (size_t i = 0; i < N; ++i) {
    if (words[i] == setting->value) {
      out = static_cast<E>(i);
      return;
    }
  }
  problems.Add(setting->path, setting->value, MustBeOneOf(words));
}

void ReadSelector(const ObjectMeta& pod, LabelSelector& out, Problems& problems) {
  const std::optional<Setting> setting = Find(pod, kAnnotationTicketSelector);
  if (!setting) {
    return;
  }
  absl::StatusOr<LabelSelector> selector = ParseSelector(setting->value);
  if (selector.ok()) {
    out = *std::move(selector);
  } else {
    problems.Add(setting->path, setting->value, Message(selector.status()));
  }
}

void ReadTimeout(const ObjectMeta& pod, absl::Duration& out, Problems& problems) {
  const std::optional<Setting> setting = Find(pod, kAnnotationClaimTimeout);
  if (!setting) {
    return;
  }
  const DurationField timeout = DurationField::FromText(setting->value);
  CheckPositive(timeout, setting->path, problems);
  if (timeout.valid() && timeout.value() > absl::ZeroDuration()) {
    out = timeout.value();
  }
}

}  // namespace

bool AsksForTicket(const ObjectMeta& pod) {
  return ValueOf(pod.annotations, kAnnotationRequired) == kRequiredTrue ||
         ValueOf(pod.labels, kAnnotationRequired) == kRequiredTrue;
}

ParsedClaimRequest ParseClaimRequest(const ObjectMeta& pod) {
  ParsedClaimRequest parsed;
  ClaimRequest& request = parsed.request;
  Problems problems;
  ReadName(pod, kAnnotationOrder, request.order, problems);
  ReadName(pod, kAnnotationTicket, request.ticket, problems);
  ReadSelector(pod, request.selector, problems);
  ReadWord(pod, kAnnotationMode, kModes, request.mode, problems);
  ReadWord(pod, kAnnotationFallback, kFallbacks, request.fallback, problems);
  ReadTimeout(pod, request.timeout, problems);
  parsed.problems = problems.Take();
  return parsed;
}

}  // namespace korder::api
