// Every method of every service, called by everybody there is: who may call what is written down
// once more here, beside the lists in the services, and each cell is tried over a real connection.
//
// The methods come from the .proto files. A new one fails this test until it has a row.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <regex>
#include <set>
#include <thread>

#include <catch2/catch.hpp>
#include <grpcpp/generic/generic_stub.h>

#include "absl/strings/str_cat.h"
#include "admission-svc/claim_router_service.h"
#include "order-svc/planner_service.h"
#include "quota-svc/ledger_service.h"
#include "runtime/grpc_client.h"
#include "runtime/testing/reviewing_api_server.h"
#include "runtime/testing/test_certs.h"
#include "runtime/user_access.h"
#include "ticket-svc/ticket_desk.h"

namespace korder {
namespace {

using grpc::StatusCode;

// Services are named without "korder-" and "-svc".
struct Row {
  std::set<std::string> services;
  bool people = false;
};

const std::map<std::string, Row>& Wanted() {
  static const auto* const kWanted = new std::map<std::string, Row>{
      {"/korder.admission.v1.ClaimRouter/Resolve", {{}, true}},
      {"/korder.order.v1.OrderPlanner/Preview", {{}, true}},
      {"/korder.order.v1.OrderPlanner/Calendar", {{}, true}},
      {"/korder.quota.v1.QuotaLedger/Reserve", {{"order"}}},
      {"/korder.quota.v1.QuotaLedger/Release", {{"order"}}},
      {"/korder.quota.v1.QuotaLedger/Confirm", {{"ticket"}}},
      {"/korder.quota.v1.QuotaLedger/Admit", {{"admission"}}},
      {"/korder.quota.v1.QuotaLedger/Query", {{"order", "ticket", "admission"}, true}},
      {"/korder.quota.v1.QuotaLedger/Check", {{"order"}, true}},
      {"/korder.quota.v1.QuotaLedger/Watch", {{}, true}},
      {"/korder.ticket.v1.TicketDesk/Offer", {{"admission"}, true}},
      {"/korder.ticket.v1.TicketDesk/Handoffs", {{"admission"}, true}},
  };
  return *kWanted;
}

// What a service serves, with its own lists. The methods do nothing: whether one is reached is all
// that counts.
struct Served {
  std::string name;  // "korder-quota-svc"
  std::unique_ptr<grpc::Service> service;
  runtime::AllowList allow;
  std::set<std::string> user_methods;
};

std::vector<Served> EveryService() {
  std::vector<Served> all;
  all.push_back({"korder-admission-svc", std::make_unique<admission::pb::ClaimRouter::Service>(),
                 admission::RouterAllowList(), admission::RouterUserMethods()});
  all.push_back({"korder-order-svc", std::make_unique<order::pb::OrderPlanner::Service>(),
                 order::PlannerAllowList(), order::PlannerUserMethods()});
  all.push_back({"korder-quota-svc", std::make_unique<quota::pb::QuotaLedger::Service>(),
                 quota::LedgerAllowList(), quota::LedgerUserMethods()});
  all.push_back({"korder-ticket-svc", std::make_unique<ticket::v1::TicketDesk::Service>(),
                 ticket::DeskAllowList(), ticket::DeskUserMethods()});
  return all;
}

// "/package.Service/Method" of everything that the .proto files define.
std::set<std::string> DefinedMethods() {
  std::set<std::string> methods;
  static const std::regex kWord(R"((package|service|rpc)\s+([\w.]+))");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(KORDER_PROTO_DIR)) {
    if (entry.path().extension() != ".proto") {
      continue;
    }
    std::ifstream in(entry.path());
    std::string package;
    std::string service;
    for (std::string line; std::getline(in, line);) {
      line.resize(std::min(line.size(), line.find("//")));
      std::smatch word;
      if (!std::regex_search(line, word, kWord)) {
        continue;
      }
      if (word[1] == "package") {
        package = word[2];
      } else if (word[1] == "service") {
        service = word[2];
      } else {
        methods.insert(absl::StrCat("/", package, ".", service, "/", word[2].str()));
      }
    }
  }
  return methods;
}

// Somebody who calls.
struct Caller {
  std::string name;
  runtime::TlsMaterial tls;
  std::string token;
};

// Everybody there is. Tokens: "may" is allowed, "knows" is known and not allowed.
std::vector<Caller> Everybody(const runtime::TestCa& ca) {
  std::vector<Caller> all;
  for (const char* service : {"order", "ticket", "quota", "admission"}) {
    all.push_back({service, ca.Issue(absl::StrCat("korder-", service, "-svc")), ""});
  }
  all.push_back({"stranger", ca.Issue("somebody-else"), ""});
  // A token adds nothing to a certificate.
  all.push_back({"stranger with a token", ca.Issue("somebody-else"), "may"});
  runtime::TlsMaterial forged = runtime::TestCa().Issue("korder-order-svc");
  const std::string trust = ca.Issue("x").ca;
  forged.ca = trust;
  all.push_back({"forger", forged, ""});
  for (const char* token : {"may", "knows", "made-up", ""}) {
    all.push_back(
        {absl::StrCat("person '", token, "'"), {.ca = trust, .certificate = "", .key = ""}, token});
  }
  return all;
}

// UNIMPLEMENTED: the method was reached.
StatusCode WantedCode(const Caller& caller, const Row& row) {
  if (caller.name == "forger") {
    return StatusCode::UNAVAILABLE;
  }
  if (!caller.tls.certificate.empty()) {
    return row.services.contains(caller.name) ? StatusCode::UNIMPLEMENTED
                                              : StatusCode::PERMISSION_DENIED;
  }
  if (!row.people || (caller.token != "may" && caller.token != "knows")) {
    return StatusCode::UNAUTHENTICATED;
  }
  return caller.token == "may" ? StatusCode::UNIMPLEMENTED : StatusCode::PERMISSION_DENIED;
}

StatusCode Call(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                const std::string& token) {
  grpc::ClientContext context;
  runtime::SetDeadline(context, absl::Seconds(20));
  if (!token.empty()) {
    context.AddMetadata("authorization", "Bearer " + token);
  }
  grpc::CompletionQueue queue;
  void* tag = nullptr;
  bool ok = false;
  const auto call = grpc::GenericStub(channel).PrepareCall(&context, method, &queue);
  call->StartCall(nullptr);
  queue.Next(&tag, &ok);
  const grpc::Slice nothing("");
  call->WriteLast(grpc::ByteBuffer(&nothing, 1), {}, nullptr);
  queue.Next(&tag, &ok);
  grpc::ByteBuffer answer;
  call->Read(&answer, nullptr);
  queue.Next(&tag, &ok);
  grpc::Status status;
  call->Finish(&status, nullptr);
  queue.Next(&tag, &ok);
  return status.error_code();
}

TEST_CASE("authorization: every method that is defined has a row, and a server that knows it",
          "[authorization]") {
  std::set<std::string> rows;
  for (const auto& [method, row] : Wanted()) {
    rows.insert(method);
  }
  CHECK(DefinedMethods() == rows);
  std::set<std::string> served;
  for (const Served& service : EveryService()) {
    for (const auto& [method, callers] : service.allow) {
      served.insert(method);
    }
    for (const std::string& method : service.user_methods) {
      INFO("without an entry it would be counted as unknown: " << method);
      CHECK(service.allow.contains(method));
    }
  }
  CHECK(served == rows);
}

TEST_CASE("authorization: every method by everybody", "[authorization]") {
  const runtime::TestCa ca;
  runtime::ReviewingApiServer api_server({.knows = {"may", "knows"}, .may = {"may"}});
  kube::Client client(api_server);
  SystemClock clock;
  runtime::UserAccess users(client, clock, {.access = {.verb = "get", .resource = "quotas"}});
  const std::jthread reviews([&](std::stop_token stop) { users.Run(stop); });
  const std::vector<Caller> everybody = Everybody(ca);
  int cells = 0;
  for (Served& served : EveryService()) {
    runtime::Metrics metrics(served.name);
    runtime::GrpcServer server({.listen = "127.0.0.1:0",
                                .tls = ca.Issue(served.name),
                                .allow = served.allow,
                                .user_methods = served.user_methods,
                                .users = &users},
                               metrics);
    server.AddService(served.service.get());
    REQUIRE(server.Start().ok());
    const std::jthread running([&](std::stop_token stop) { (void)server.Run(stop); });
    for (const Caller& caller : everybody) {
      const auto channel =
          runtime::NewChannel({.address = absl::StrCat("127.0.0.1:", server.port()),
                               .peer = served.name,
                               .tls = caller.tls});
      const auto check = [&](const std::string& method, StatusCode want) {
        INFO(caller.name << " calls " << method << " of " << served.name);
        StatusCode got = Call(channel, method, caller.token);
        // The thread that reviews tokens may not have begun.
        for (int i = 0; i < 100 && got == StatusCode::UNAVAILABLE && got != want; ++i) {
          std::this_thread::sleep_for(std::chrono::milliseconds(10));
          got = Call(channel, method, caller.token);
        }
        CHECK(got == want);
        ++cells;
      };
      for (const auto& [method, row] : Wanted()) {
        if (served.allow.contains(method)) {
          check(method, WantedCode(caller, row));
        }
      }
      // What is on no list is nobody's, whether it exists or not.
      const std::string own = served.allow.begin()->first;
      check(own.substr(0, own.rfind('/')) + "/NoSuchMethod", WantedCode(caller, {}));
      check("/korder.other.v1.Service/Method", WantedCode(caller, {}));
    }
  }
  CHECK(cells ==
        static_cast<int>(everybody.size() * (Wanted().size() + 2 * EveryService().size())));
}

}  // namespace
}  // namespace korder
