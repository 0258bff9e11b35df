#include "quota-svc/forecast.h"

#include <algorithm>
#include <set>
#include <utility>

namespace korder::quota {
namespace {

// Denials of the order and of its tickets, each limit once.
void Append(std::vector<Denial> more, std::vector<Denial>& denials) {
  for (Denial& denial : more) {
    if (std::find(denials.begin(), denials.end(), denial) == denials.end()) {
      denials.push_back(std::move(denial));
    }
  }
}

}  // namespace

Forecast MakeForecast(const QuotaBook& book, const ForecastRequest& asked, absl::Time now) {
  const absl::Time at = asked.time.value_or(now);
  Forecast forecast;
  std::set<std::string> quotas;
  if (asked.order) {
    forecast.denials = book.CheckAll(*asked.order, 1, at);
    forecast.order_fits = forecast.denials.empty();
    for (std::string& quota : book.Covering(*asked.order)) {
      quotas.insert(std::move(quota));
    }
  }
  if (asked.tickets > 0) {
    Append(book.CheckAll(asked.ticket, asked.tickets, at), forecast.denials);
    forecast.fitting_tickets = std::min(asked.tickets, book.Room(asked.ticket, at));
    for (std::string& quota : book.Covering(asked.ticket)) {
      quotas.insert(std::move(quota));
    }
  }
  forecast.quotas.assign(quotas.begin(), quotas.end());
  return forecast;
}

}  // namespace korder::quota
