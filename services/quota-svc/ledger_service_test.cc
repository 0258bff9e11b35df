#include "quota-svc/ledger_service.h"

#include <grpcpp/grpcpp.h>
#include <map>

#include <catch2/catch.hpp>

#include "quota-svc/testing/desk_fixture.h"
#include "runtime/grpc_client.h"
#include "runtime/ledger_client.h"
#include "runtime/metrics.h"

namespace korder::quota {
namespace {

using runtime::LedgerClient;
using testing::DeskFixture;
using testing::MakeClaim;
using testing::MakeQuota;

struct ServiceFixture : DeskFixture {
  explicit ServiceFixture(const api::Quota& quota) : DeskFixture(quota) {
    WriteInBackground();
    server.AddService(&service);
    REQUIRE(server.Start().ok());
    server.SetServing(LedgerClient::kService, true);
    stub = pb::QuotaLedger::NewStub(server.InProcessChannel());
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(server.port()); }

  // "CODE: message" of a call that is to fail.
  template <class Request, class Response>
  std::string Refusal(grpc::Status (pb::QuotaLedger::Stub::*method)(grpc::ClientContext*,
                                                                    const Request&, Response*),
                      const Request& request) {
    grpc::ClientContext context;
    runtime::SetDeadline(context, absl::Seconds(20));
    Response response;
    return ToString(
        runtime::FromGrpcStatus((stub.get()->*method)(&context, request, &response), "call"));
  }

  LedgerService service{desk};
  runtime::Metrics server_metrics{"quota-svc"};
  runtime::GrpcServer server{{.listen = "127.0.0.1:0"}, server_metrics};
  std::unique_ptr<pb::QuotaLedger::Stub> stub;
};

runtime::LedgerClaim HalfCore() {
  return {.requests = {{"cpu", *api::Quantity::Parse("500m")}},
          .duration = absl::Hours(1),
          .labels = {{"app", "web"}}};
}

absl::StatusOr<runtime::LedgerDecision> Confirm(LedgerClient& client,
                                                const runtime::LedgerConfirmation& asked) {
  const auto decisions = client.Confirm({asked}, {});
  return decisions.ok() ? decisions->front()
                        : absl::StatusOr<runtime::LedgerDecision>(decisions.status());
}

TEST_CASE("ledger service: grants and denials arrive as the client library reads them",
          "[quota][grpc]") {
  ServiceFixture fixture(MakeQuota("team-quota").Hard("reserved.cpu", "1"));
  LedgerClient client(fixture.address(), {}, absl::Seconds(20));
  const auto decisions =
      client.Reserve("default", HalfCore(), {{"a", "web-0"}, {"b", "web-1"}, {"c", "web-2"}}, {});
  REQUIRE(decisions.ok());
  CHECK((*decisions)[0].granted());
  CHECK((*decisions)[1].granted());
  REQUIRE_FALSE((*decisions)[2].granted());
  CHECK((*decisions)[2].id == "c");
  CHECK((*decisions)[2].denied->quota == "team-quota");
  CHECK((*decisions)[2].denied->resource == "reserved.cpu");
  CHECK((*decisions)[2].denied->message ==
        "quota team-quota: reserved.cpu: requested 500m, used 1 of 1");

  REQUIRE(client.Release({"b"}, {}).ok());
  const auto confirmed = Confirm(client, {{"default", "web-0", "uid-0"}, "a", HalfCore()});
  REQUIRE(confirmed.ok());
  CHECK(confirmed->granted());
  CHECK(confirmed->id == "uid-0");
  const auto charged = Confirm(client, {{"default", "web-1", "uid-1"}, "", HalfCore()});
  REQUIRE(charged.ok());
  CHECK(charged->granted());
  CHECK_FALSE(Confirm(client, {{"default", "web-2", "uid-2"}, "", HalfCore()})->granted());

  const auto both = client.Confirm({{{"default", "web-2", "uid-2"}, "", HalfCore()},
                                    {{"default", "web-1", "uid-1"}, "", HalfCore()}},
                                   {});
  REQUIRE(both.ok());
  REQUIRE(both->size() == 2);
  CHECK_FALSE((*both)[0].granted());
  CHECK((*both)[1].granted());
}

TEST_CASE("ledger service: what would fit arrives as the client library reads it",
          "[quota][grpc]") {
  ServiceFixture fixture(MakeQuota("team-quota").Hard("reserved.cpu", "1").Hard("orders", "0"));
  LedgerClient client(fixture.address(), {}, absl::Seconds(20));
  runtime::LedgerQuestion question{.ns = "default", .claim = HalfCore(), .tickets = 3};
  const auto tickets = client.Check(question, {});
  INFO(ToString(tickets.status()));
  REQUIRE(tickets.ok());
  CHECK(tickets->fitting_tickets == 2);
  CHECK(tickets->order_fits);
  CHECK(tickets->quotas == std::vector<std::string>{"team-quota"});
  REQUIRE(tickets->denials.size() == 1);
  CHECK(tickets->denials[0].resource == "reserved.cpu");
  CHECK(tickets->denials[0].requested == "1500m");
  CHECK(tickets->denials[0].used == "0");
  CHECK(tickets->denials[0].limit == "1");
  question.tickets = 2;
  question.order_labels.emplace();
  question.time = fixture.clock.Now() + absl::Hours(5);
  const auto with_order = client.Check(question, {});
  REQUIRE(with_order.ok());
  CHECK(with_order->fitting_tickets == 2);
  CHECK_FALSE(with_order->order_fits);
}

TEST_CASE("ledger service: admission of tickets and orders", "[quota][grpc]") {
  ServiceFixture fixture(
      MakeQuota("q").Hard("tickets", "1").Hard("orders", "1").Hard("max-duration", "24h"));
  LedgerClient client(fixture.address(), {}, absl::Seconds(20));
  const auto order = client.AdmitOrder(
      {.ns = "default", .name = "web", .replicas = 3, .labels = {}, .create = true}, HalfCore(),
      false);
  REQUIRE(order.ok());
  CHECK_FALSE(order->denied);
  CHECK(order->warnings ==
        std::vector<std::string>{"1 of 3 tickets fit quota q now (tickets: used 0 of 1)"});
  runtime::LedgerClaim long_claim = HalfCore();
  long_claim.duration = absl::Hours(25);
  CHECK(client.AdmitOrder({.ns = "default", .name = "web-2", .create = true}, long_claim, false)
            ->denied->message == "quota q: max-duration: requested 25h, at most 24h");
  CHECK(client.AdmitOrder({.ns = "default", .name = "web-2", .create = true}, HalfCore(), false)
            ->denied->message == "quota q: orders: requested 1, used 1 of 1");

  CHECK_FALSE(client.AdmitTicket({"default", "t", ""}, HalfCore(), true)->denied);
  CHECK_FALSE(client.AdmitTicket({"default", "t", "uid"}, HalfCore(), false)->denied);
  CHECK(client.AdmitTicket({"default", "t", ""}, HalfCore(), true)->denied->message ==
        "quota q: tickets: requested 1, used 1 of 1");
}

TEST_CASE("ledger service: of a longer window what is still to come is decided on",
          "[quota][grpc]") {
  ServiceFixture fixture(MakeQuota("q").Hard("max-duration", "1h"));
  LedgerClient client(fixture.address(), {}, absl::Seconds(20));
  runtime::LedgerClaim claim = HalfCore();
  claim.duration = absl::Hours(1);
  REQUIRE(Confirm(client, {{"default", "web-0", "uid-0"}, "", claim})->granted());
  claim.duration = absl::Hours(3);
  const auto confirm = [&] { return Confirm(client, {{"default", "web-0", "uid-0"}, "", claim}); };
  const auto admit = [&] {
    return client.AdmitTicket({"default", "web-0", "uid-0"}, claim, false);
  };
  const char* const too_long = "quota q: max-duration: requested 1h0m1s, at most 1h";
  claim.remaining = absl::Hours(1) + absl::Milliseconds(500);
  CHECK(admit()->denied->message == too_long);
  CHECK(confirm()->denied->message == too_long);
  claim.remaining = absl::Hours(1);
  CHECK_FALSE(admit()->denied);
  CHECK(confirm()->granted());
  claim.remaining = -absl::Hours(1);
  CHECK_THAT(ToString(confirm().status()),
             Catch::Contains("items[0].remaining: \"-3600s 0ns\": must be a valid duration"));
  CHECK_THAT(ToString(admit().status()),
             Catch::Contains("ticket.remaining: \"-3600s 0ns\": must be a valid duration"));
}

TEST_CASE("ledger service: the answer carries numbers, times and the epoch", "[quota][grpc]") {
  ServiceFixture fixture(MakeQuota("q").Hard("tickets", "1").Hard("max-duration", "2h"));
  pb::ReserveRequest request;
  request.set_namespace_("default");
  request.mutable_claim()->mutable_duration()->set_seconds(60);
  request.add_reservation_ids("a");
  request.add_reservation_ids("b");
  pb::ReserveResponse response;
  grpc::ClientContext context;
  REQUIRE(fixture.stub->Reserve(&context, request, &response).ok());
  CHECK(response.epoch() == 7);
  CHECK(response.outcomes(0).granted().expire_time().seconds() ==
        absl::ToUnixSeconds(fixture.clock.Now()) + 60);
  const pb::Denied& denied = response.outcomes(1).denied();
  CHECK(denied.requested() == "1");
  CHECK(denied.used() == "1");
  CHECK(denied.limit() == "1");
  CHECK_FALSE(denied.has_next_change_time());

  pb::QueryResponse query;
  grpc::ClientContext query_context;
  pb::QueryRequest unknown;
  REQUIRE(fixture.stub->Query(&query_context, unknown, &query).ok());
  REQUIRE(query.quotas_size() == 1);
  CHECK(query.quotas(0).quota() == "q");
  CHECK(query.quotas(0).entries(0).resource() == "tickets");
  CHECK(query.quotas(0).entries(0).used() == "1");
  CHECK(query.quotas(0).entries(0).hard() == "1");
  CHECK(query.quotas(0).entries(0).available() == "0");
  CHECK(query.quotas(0).entries(1).resource() == "max-duration");
  CHECK(query.quotas(0).entries(1).hard() == "2h");
}

TEST_CASE("ledger service: a query can name quotas", "[quota][grpc]") {
  ServiceFixture fixture(MakeQuota("q").Hard("tickets", "1"));
  pb::QueryRequest request;
  request.add_quotas("other");
  pb::QueryResponse response;
  grpc::ClientContext context;
  REQUIRE(fixture.stub->Query(&context, request, &response).ok());
  CHECK(response.quotas_size() == 0);
}

TEST_CASE("ledger service: a wrong request is refused with its path", "[quota][grpc]") {
  ServiceFixture fixture(MakeQuota("q").Hard("tickets", "1"));
  pb::ReserveRequest good;
  good.set_namespace_("default");
  good.mutable_claim();
  good.add_reservation_ids("a");
  struct Case {
    const char* name;
    std::function<void(pb::ReserveRequest&)> change;
    const char* want;
  };
  const Case cases[] = {
      {"no namespace", [](auto& r) { r.clear_namespace_(); },
       "namespace: must be 1 to 63 characters of [A-Za-z0-9._-]"},
      {"no claim", [](auto& r) { r.clear_claim(); }, "claim: is required"},
      {"no ids", [](auto& r) { r.clear_reservation_ids(); },
       "reservation_ids: \"0 items\": must be 1 to 5000"},
      {"an id twice", [](auto& r) { r.add_reservation_ids("a"); },
       "reservation_ids[1]: \"a\": occurs twice"},
      {"an id with a slash", [](auto& r) { r.set_reservation_ids(0, "ticket/uid"); },
       "reservation_ids[0]: \"ticket/uid\": must be 1 to 63 characters of [A-Za-z0-9._-]"},
      {"too few names", [](auto& r) { r.add_ticket_names("web-0"), r.add_ticket_names("web-1"); },
       "ticket_names: \"2 items\": must be as many as reservation_ids"},
      {"a name that no ticket can have", [](auto& r) { r.add_ticket_names("Web 0"); },
       "ticket_names[0]: \"Web 0\": "},
      {"an id too long", [](auto& r) { r.set_reservation_ids(0, std::string(64, 'a')); },
       "must be 1 to 63 characters of [A-Za-z0-9._-]"},
      {"not a quantity", [](auto& r) { (*r.mutable_claim()->mutable_requests())["cpu"] = "lots"; },
       "claim.requests[cpu]: \"lots\": must be a quantity such as 500m, 2 or 1.5Gi"},
      {"a negative quantity",
       [](auto& r) { (*r.mutable_claim()->mutable_requests())["cpu"] = "-1"; },
       "claim.requests[cpu]: \"-1\": must be 0 to 9223372036854775807"},
      {"too large a quantity",
       [](auto& r) { (*r.mutable_claim()->mutable_requests())["cpu"] = "1e25"; },
       "claim.requests[cpu]: \"1e25\": must be 0 to 9223372036854775807"},
      {"a negative duration",
       [](auto& r) { r.mutable_claim()->mutable_duration()->set_seconds(-1); },
       "claim.duration: \"-1s 0ns\": must be a valid duration of 0 or more"},
      {"a duration that cannot be written down",
       [](auto& r) { r.mutable_claim()->mutable_duration()->set_seconds(2'562'047LL * 3600 + 1); },
       "must be a valid duration of 0 or more, at most 2562047h"},
      {"a bad label", [](auto& r) { (*r.mutable_claim()->mutable_labels())["a b"] = "c"; },
       "claim.labels: \"a b\": "},
      {"a namespace that is not there", [](auto& r) { r.set_namespace_("gone"); },
       "namespace: \"gone\": does not exist"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      pb::ReserveRequest request = good;
      c.change(request);
      const std::string refusal = fixture.Refusal(&pb::QuotaLedger::Stub::Reserve, request);
      CHECK_THAT(refusal, Catch::StartsWith("INVALID_ARGUMENT: ") && Catch::Contains(c.want));
    }
  }
  CHECK_THAT(fixture.Refusal(&pb::QuotaLedger::Stub::Admit, pb::AdmitRequest()),
             Catch::Contains("subject: is required: an order or a ticket"));
  CHECK_THAT(fixture.Refusal(&pb::QuotaLedger::Stub::Confirm, pb::ConfirmRequest()),
             Catch::Contains("items: \"0 items\": must be 1 to 5000"));
  CHECK(fixture.Refusal(&pb::QuotaLedger::Stub::Reserve, good) == "OK");
}

TEST_CASE("ledger service: a huge name in a wrong request does not hide what is wrong",
          "[quota][grpc]") {
  ServiceFixture fixture(MakeQuota("q").Hard("tickets", "1"));
  pb::ReserveRequest request;
  request.set_namespace_("default");
  request.add_reservation_ids("a");
  (*request.mutable_claim()->mutable_requests())[std::string(100'000, 'x')] = "1";
  CHECK_THAT(fixture.Refusal(&pb::QuotaLedger::Stub::Reserve, request),
             Catch::StartsWith("INVALID_ARGUMENT: call: claim.requests: \"xxx") &&
                 Catch::Contains("xxx...\": "));
}

TEST_CASE("ledger service: an order's name is a name", "[quota][grpc]") {
  ServiceFixture fixture(MakeQuota("q").Hard("orders", "5"));
  pb::AdmitRequest request;
  request.set_namespace_("default");
  request.mutable_order()->set_create(true);
  for (const std::string& name : {std::string(), std::string("a b"), std::string("a/b"),
                                  std::string("\xe2\x82\xac"), std::string(254, 'x')}) {
    request.mutable_order()->set_name(name);
    CHECK_THAT(fixture.Refusal(&pb::QuotaLedger::Stub::Admit, request),
               Catch::StartsWith("INVALID_ARGUMENT: call: order.name: ") &&
                   Catch::EndsWith("must be 1 to 253 characters of [A-Za-z0-9._-]"));
  }
  request.mutable_order()->set_name(std::string(253, 'x'));
  CHECK(fixture.Refusal(&pb::QuotaLedger::Stub::Admit, request) == "OK");
}

TEST_CASE("ledger service: an annotation that cannot be an id does no harm", "[quota][grpc]") {
  ServiceFixture fixture(MakeQuota("q").Hard("tickets", "1"));
  LedgerClient client(fixture.address(), {}, absl::Seconds(20));
  CHECK(Confirm(client, {{"default", "t", "uid"}, "order/default/x \n", HalfCore()})->granted());
}

TEST_CASE("ledger service: a follower is UNAVAILABLE", "[quota][grpc]") {
  ServiceFixture fixture(MakeQuota("q").Hard("tickets", "1"));
  fixture.desk.Close();
  LedgerClient client(fixture.address(), {}, absl::Seconds(20));
  CHECK(client.Reserve("default", HalfCore(), {{"a", "web-0"}}, {}).status().code() ==
        absl::StatusCode::kUnavailable);
}

TEST_CASE("ledger service: Query knows scopes, allocations and which quotas count a namespace",
          "[quota][grpc]") {
  ServiceFixture fixture(MakeQuota("all").Hard("tickets", "4").Cap("default", "tickets", "2"));
  fixture.find = [](const std::string& ns) -> std::optional<api::Labels> {
    return ns == "nowhere" ? std::nullopt : std::optional<api::Labels>(api::Labels());
  };
  fixture.desk.Observe([&](Ledger& ledger) {
    ledger.PutQuota(Compile(MakeQuota("other").ForNamespaces({"other"}).Hard("tickets", "1")),
                    fixture.clock.Now());
  });
  LedgerClient client(fixture.address(), {}, absl::Seconds(20));
  REQUIRE(client.Reserve("default", HalfCore(), {{"a", "web-0"}}, {}).ok());
  const auto query = [&](const std::string& ns) {
    grpc::ClientContext context;
    pb::QueryRequest request;
    request.set_namespace_(ns);
    pb::QueryResponse response;
    REQUIRE(fixture.stub->Query(&context, request, &response).ok());
    return response;
  };
  const pb::QueryResponse both = query("");
  REQUIRE(both.quotas_size() == 2);
  const pb::QuotaUsage& all = both.quotas(0);
  CHECK(all.scope() == "Cluster");
  CHECK(all.generation() == 1);
  CHECK(all.entries(0).used() == "1");
  CHECK(all.entries(0).ratio() == 0.25);
  REQUIRE(all.allocations_size() == 1);
  CHECK(all.allocations(0).namespace_() == "default");
  CHECK(all.allocations(0).entries(0).hard() == "2");
  CHECK(all.allocations(0).entries(0).used() == "1");
  CHECK(query("default").quotas_size() == 1);
  CHECK(query("other").quotas_size() == 2);
  pb::QueryRequest nowhere;
  nowhere.set_namespace_("nowhere");
  CHECK(fixture.Refusal(&pb::QuotaLedger::Stub::Query, nowhere) ==
        "INVALID_ARGUMENT: call: namespace: \"nowhere\": does not exist");
}

TEST_CASE("ledger service: Check tells what would fit, and says what is wrong with the question",
          "[quota][grpc]") {
  ServiceFixture fixture(MakeQuota("q").Hard("tickets", "2").Hard("orders", "0"));
  pb::CheckRequest request;
  request.set_namespace_("default");
  request.set_tickets(5);
  request.set_order(true);
  (*request.mutable_claim()->mutable_requests())["cpu"] = "1";
  request.mutable_claim()->mutable_duration()->set_seconds(60);
  grpc::ClientContext context;
  pb::CheckResponse response;
  REQUIRE(fixture.stub->Check(&context, request, &response).ok());
  CHECK(response.epoch() == 7);
  CHECK(response.fitting_tickets() == 2);
  CHECK_FALSE(response.order_fits());
  REQUIRE(response.denials_size() == 2);
  CHECK(response.denials(1).message() == "quota q: tickets: requested 5, used 0 of 2");
  CHECK(response.quotas(0) == "q");

  request.set_tickets(-1);
  CHECK(fixture.Refusal(&pb::QuotaLedger::Stub::Check, request) ==
        "INVALID_ARGUMENT: call: tickets: \"-1\": must be 0 to 1000000");
  request.set_tickets(1);
  request.mutable_time()->set_nanos(-1);
  CHECK(fixture.Refusal(&pb::QuotaLedger::Stub::Check, request) ==
        "INVALID_ARGUMENT: call: time: \"0s -1ns\": must be a valid time");
  request.clear_time();
  request.set_order(false);
  request.set_tickets(0);
  CHECK(fixture.Refusal(&pb::QuotaLedger::Stub::Check, request) ==
        "INVALID_ARGUMENT: call: tickets: \"0\": must be 1 or more, or `order` must be set");
}

TEST_CASE("ledger service: Watch tells everything, then what changes, until the term ends",
          "[quota][grpc]") {
  ServiceFixture fixture(MakeQuota("q").Hard("tickets", "2"));
  grpc::ClientContext context;
  runtime::SetDeadline(context, absl::Seconds(20));
  const auto stream = fixture.stub->Watch(&context, {});
  pb::WatchResponse message;
  REQUIRE(stream->Read(&message));
  REQUIRE(message.quotas_size() == 1);
  CHECK(message.quotas(0).entries(0).used() == "0");
  LedgerClient client(fixture.address(), {}, absl::Seconds(20));
  REQUIRE(client.Reserve("default", HalfCore(), {{"a", "web-0"}}, {}).ok());
  REQUIRE(stream->Read(&message));
  REQUIRE(message.quotas_size() == 1);
  CHECK(message.quotas(0).entries(0).used() == "1");
  fixture.desk.Observe([](Ledger& ledger) { ledger.EraseQuota("q"); });
  REQUIRE(stream->Read(&message));
  REQUIRE(message.deleted_quotas_size() == 1);
  fixture.desk.Close();
  CHECK_FALSE(stream->Read(&message));
  CHECK(stream->Finish().error_code() == grpc::StatusCode::UNAVAILABLE);
}

TEST_CASE("ledger service: a call ends with its caller's deadline", "[quota][grpc]") {
  ServiceFixture fixture(MakeQuota("q").Hard("tickets", "1"));
  fixture.writer = {};  // nothing becomes durable any more
  LedgerClient client(fixture.address(), {}, absl::Milliseconds(50));
  CHECK(client.Reserve("default", HalfCore(), {{"a", "web-0"}}, {}).status().code() ==
        absl::StatusCode::kDeadlineExceeded);
}

TEST_CASE("ledger service: every method has its callers and no other method is open",
          "[quota][grpc]") {
  const runtime::AllowList allow = LedgerAllowList();
  const auto* service = pb::ReserveRequest::descriptor()->file()->FindServiceByName("QuotaLedger");
  REQUIRE(service != nullptr);
  CHECK(allow.size() == static_cast<size_t>(service->method_count()));
  for (int i = 0; i < service->method_count(); ++i) {
    const std::string name = "/" + service->full_name() + "/" + service->method(i)->name();
    CAPTURE(name);
    REQUIRE(allow.contains(name));
    CHECK((!allow.at(name).empty() || LedgerUserMethods().contains(name)));
  }
  for (const std::string& name : LedgerUserMethods()) {
    CAPTURE(name);
    CHECK(allow.contains(name));
  }
  CHECK_FALSE(LedgerUserMethods().contains("/korder.quota.v1.QuotaLedger/Reserve"));
  CHECK(allow.at("/korder.quota.v1.QuotaLedger/Reserve") ==
        std::set<std::string>{"korder-order-svc"});
}

}  // namespace
}  // namespace korder::quota
