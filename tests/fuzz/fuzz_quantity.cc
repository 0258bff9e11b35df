// Amounts of resources: what is read is written again as the same amount, and arithmetic fits or
// says that it does not.
#include "api/value/quantity.h"
#include "fuzz.h"

namespace korder::fuzz {

int FuzzOne(std::string_view input) {
  using api::Quantity;
  const absl::StatusOr<Quantity> quantity = Quantity::Parse(input);
  if (!quantity.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(quantity.status()) && !Message(quantity.status()).empty());
    return kRefused;
  }
  const std::string text = quantity->ToString();
  const absl::StatusOr<Quantity> again = Quantity::Parse(text);
  FUZZ_CHECK(again.ok() && *again == *quantity && again->ToString() == text);
  FUZZ_CHECK((quantity->Value() > 0) == (quantity->nanos() > 0));
  FUZZ_CHECK((quantity->MilliValue() < 0) == quantity->IsNegative());
  if (const auto twice = quantity->Add(*quantity); twice.ok()) {
    FUZZ_CHECK(twice->Sub(*quantity).ok() && *twice->Sub(*quantity) == *quantity);
  }
  if (!quantity->IsNegative()) {
    const auto half = quantity->MulRatio(1, 2);
    FUZZ_CHECK(half.ok() && *half <= *quantity);
    (void)quantity->MulRatio(INT64_MAX, 1);
  }
  return kTaken;
}

}  // namespace korder::fuzz
