// 200 tickets on 50 nodes: all of them Ready, and what that costs at the API server.
#include <iostream>

#include <catch2/catch.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "cluster.h"

namespace korder::integration {
namespace {

// Counts korder's successful writes from a line of the audit log on; leases are kept by the clock
// and not by tickets.
std::string CountWrites(const std::string& audit_log, const std::string& from_line) {
  return absl::StrCat(
      "tail -n +", from_line, " '", audit_log,
      "' | jq -r 'select(.stage == \"ResponseComplete\" and (.verb | IN(\"create\", \"update\", "
      "\"patch\", \"delete\")) and (.user.username | "
      "startswith(\"system:serviceaccount:korder-system:\")) "
      "and .objectRef.resource != \"leases\" and .responseStatus.code < 300) | [.verb, "
      ".objectRef.resource, "
      ".objectRef.subresource // \"\"] | join(\" \")' | sort | uniq -c | sort -rn");
}

TEST_CASE("scale: 200 tickets on 50 nodes become Ready with few writes each", "[integration]") {
  Cluster cluster;
  const std::string ns = cluster.NewNamespace("scale");
  const std::string audit = std::getenv("KORDER_AUDIT_LOG");
  const std::string line = cluster.Shell("echo -n $(( $(wc -l < '" + audit + "') + 1 ))");
  const absl::Time begin = absl::Now();
  REQUIRE(cluster
              .Apply(absl::StrCat(
                  "{apiVersion: core.korder.dev/v1alpha1, kind: Order, metadata: {name: many, "
                  "namespace: ",
                  ns,
                  "}, spec: {replicas: 200, template: {spec: {duration: 1h, resources: {requests: "
                  "{cpu: 500m, memory: 1Gi}}}}}}"))
              .exit_code == 0);
  REQUIRE(Eventually(absl::Seconds(120), [&] { return cluster.ReadyTickets(ns) == 200; }));
  const absl::Duration took = absl::Now() - begin;
  CHECK(cluster.Guardians(ns).size() == 200);
  const std::string writes = cluster.Shell(CountWrites(audit, line));
  double total = 0;
  cluster.Shell("true");
  for (const absl::string_view row : absl::StrSplit(writes, '\n', absl::SkipWhitespace())) {
    const std::vector<std::string> parts = absl::StrSplit(row, ' ', absl::SkipEmpty());
    double count = 0;
    REQUIRE(absl::SimpleAtod(parts.at(0), &count));
    total += count;
  }
  std::cout << "200 tickets Ready in " << took << "; korder's writes until then:\n"
            << writes << "  = " << total / 200 << " per ticket\n"
            << cluster.Shell(
                   absl::StrCat("scripts/services status --name ", std::getenv("KORDER_INSTANCE")));
  CHECK(total / 200 >= 3);
  double ceiling = 0;
  REQUIRE(absl::SimpleAtod(absl::StripAsciiWhitespace(cluster.Shell(
                               "jq .writesPerTicketUntilReady tests/bench/ceilings.json")),
                           &ceiling));
  CHECK(total / 200 <= ceiling);
}

}  // namespace
}  // namespace korder::integration
