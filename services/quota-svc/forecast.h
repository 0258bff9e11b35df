// What-if: how much of an order would fit, now or by the limits in force at another time?
//
//   const Forecast forecast = MakeForecast(book, {.ticket = claim, .tickets = 50}, now);
//   forecast.fitting_tickets;   // 12
//   forecast.denials;           // which limits stop the rest, with the numbers
//
// Pure; charges nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "quota-svc/claim.h"
#include "quota-svc/quota_book.h"

namespace korder::quota {

struct ForecastRequest {
  Claim ticket;  // of each
  int64_t tickets = 0;
  std::optional<Claim> order;      // the Order itself
  std::optional<absl::Time> time;  // absent: now
};

struct Forecast {
  int64_t fitting_tickets = 0;
  bool order_fits = true;
  // Every limit that the whole does not fit; empty when everything fits.
  std::vector<Denial> denials;
  // Every quota that counts it, by name.
  std::vector<std::string> quotas;

  bool operator==(const Forecast&) const = default;
};

Forecast MakeForecast(const QuotaBook& book, const ForecastRequest& asked, absl::Time now);

}  // namespace korder::quota
