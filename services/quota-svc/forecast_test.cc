#include "quota-svc/forecast.h"

#include <catch2/catch.hpp>

#include "quota-svc/testing/builders.h"

namespace korder::quota {
namespace {

using testing::kNow;
using testing::MakeQuota;

}  // namespace

TEST_CASE("forecast: how many fit, and every limit that stops the rest", "[quota]") {
  QuotaBook book;
  book.PutNamespace("default", {});
  book.PutQuota(Compile(MakeQuota("a").Hard("tickets", "3").Hard("reserved.cpu", "1")), kNow);
  book.PutQuota(Compile(MakeQuota("b").Hard("orders", "0").Hard("reserved.cpu", "4")), kNow);
  book.PutQuota(Compile(MakeQuota("c").ForNamespaces({"elsewhere"}).Hard("tickets", "0")), kNow);
  const Claim half =
      MakeTicketClaim("default", {}, {{"cpu", *api::Quantity::Parse("500m")}}, absl::Hours(1));

  const Forecast two = MakeForecast(book, {.ticket = half, .tickets = 2}, kNow);
  CHECK(two.fitting_tickets == 2);
  CHECK(two.denials.empty());
  CHECK(two.order_fits);
  CHECK(two.quotas == std::vector<std::string>{"a", "b"});

  const Forecast many = MakeForecast(
      book, {.ticket = half, .tickets = 9, .order = MakeOrderClaim("default", {})}, kNow);
  CHECK(many.fitting_tickets == 2);
  CHECK_FALSE(many.order_fits);
  std::vector<std::string> messages;
  for (const Denial& denial : many.denials) {
    messages.push_back(denial.message);
  }
  CHECK(messages ==
        std::vector<std::string>{"quota b: orders: requested 1, used 0 of 0",
                                 "quota a: reserved.cpu: requested 4500m, used 0 of 1",
                                 "quota a: tickets: requested 9, used 0 of 3",
                                 "quota b: reserved.cpu: requested 4500m, used 0 of 4"});
  // Nothing was charged.
  CHECK(MakeForecast(book, {.ticket = half, .tickets = 2}, kNow) == two);
}

}  // namespace korder::quota
