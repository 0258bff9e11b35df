// Label selectors in kubectl's syntax: what is read can be written, and read again as the same.
#include "api/value/label_selector.h"
#include "fuzz.h"

namespace korder::fuzz {

int FuzzOne(std::string_view input) {
  const absl::StatusOr<api::LabelSelector> selector = api::ParseSelector(input);
  if (!selector.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(selector.status()) && !Message(selector.status()).empty());
    return kRefused;
  }
  const api::Labels labels = {{"app", "web"}, {"tier", ""}};
  const std::string text = selector->ToString();
  const absl::StatusOr<api::LabelSelector> again = api::ParseSelector(text);
  FUZZ_CHECK(again.ok() && again->ToString() == text);
  FUZZ_CHECK(again->Matches(labels) == selector->Matches(labels));
  (void)api::Validate(*selector, "spec.selector");
  return kTaken;
}

}  // namespace korder::fuzz
