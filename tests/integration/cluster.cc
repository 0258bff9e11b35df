#include "cluster.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <thread>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "kube/beast_transport.h"
#include "kube/cluster_config.h"

namespace korder::integration {
namespace {

std::string Env(const char* name) {
  const char* value = std::getenv(name);
  INFO("run the integration tests with `make test` (tests/integration/run.sh sets " << name << ")");
  REQUIRE(value != nullptr);
  return value;
}

// The sum of a metric's samples whose line contains `filter`.
double SumOf(const std::string& text, const std::string& name, const std::string& filter) {
  double sum = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<absl::string_view> parts = absl::StrSplit(line, ' ');
    const bool named = absl::StartsWith(line, name + "{") || absl::StartsWith(line, name + " ");
    double value = 0;
    if (named && absl::StrContains(line, filter) && absl::SimpleAtod(parts.back(), &value)) {
      sum += value;
    }
  }
  return sum;
}

}  // namespace

bool Eventually(absl::Duration limit, const std::function<bool()>& done) {
  const absl::Time deadline = absl::Now() + limit;
  while (!done()) {
    if (absl::Now() > deadline) {
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return true;
}

Cluster::Cluster() {
  absl::StatusOr<kube::ClusterConfig> config = kube::LoadClusterConfig(Env("KUBECONFIG"));
  REQUIRE(config.ok());
  transport_ = kube::NewBeastTransport(*std::move(config), {.user_agent = "korder-integration"});
  client_ = std::make_unique<kube::Client>(*transport_);
}

Cluster::~Cluster() {
  if (std::uncaught_exceptions() > 0 || !Catch::getResultCapture().lastAssertionPassed()) {
    Report();
  }
  for (const std::string& ns : namespaces_) {
    TryShell("kubectl delete namespace --wait=false " + ns);
  }
}

// What a failed test leaves behind goes with its namespaces, so it is told while it is there.
void Cluster::Report() {
  for (const std::string& ns : namespaces_) {
    std::cout << TryShell("kubectl -n " + ns + " get orders,quotas,tickets,pods -o wide\n" +
                          "kubectl -n " + ns + " get events --sort-by=.lastTimestamp | tail -n 80")
                     .output;
  }
  std::cout << TryShell("scripts/services logs --name " + Env("KORDER_INSTANCE")).output
            << std::flush;
}

ShellResult Cluster::TryShell(const std::string& command) {
  const std::string full =
      absl::StrCat("cd '", Env("KORDER_SOURCE"), "' && { ", command, "\n} 2>&1");
  FILE* pipe = popen(full.c_str(), "r");
  REQUIRE(pipe != nullptr);
  ShellResult result;
  std::array<char, 4096> buffer;
  while (const size_t got = fread(buffer.data(), 1, buffer.size(), pipe)) {
    result.output.append(buffer.data(), got);
  }
  const int status = pclose(pipe);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  return result;
}

std::string Cluster::Shell(const std::string& command) {
  ShellResult result = TryShell(command);
  INFO("$ " << command << "\n" << result.output);
  REQUIRE(result.exit_code == 0);
  return std::move(result.output);
}

ShellResult Cluster::Apply(const std::string& yaml) {
  return TryShell(absl::StrCat("kubectl apply -f - <<'KORDER_EOF'\n", yaml, "\nKORDER_EOF"));
}

std::string Cluster::NewNamespace(std::string_view stem) {
  const std::string ns =
      absl::StrCat(std::string(stem), "-", absl::ToUnixMillis(absl::Now()) % 1'000'000);
  Shell("kubectl create namespace " + ns);
  namespaces_.push_back(ns);
  REQUIRE(Eventually(absl::Seconds(10), [&] {
    return TryShell("kubectl -n " + ns + " get serviceaccount default").exit_code == 0;
  }));
  return ns;
}

std::vector<api::Ticket> Cluster::Tickets(const std::string& ns) {
  auto list = kube::ListAll<api::Ticket>(*client_, ns);
  INFO(ToString(list.status()));
  REQUIRE(list.ok());
  return std::move(list->items);
}

std::vector<api::Pod> Cluster::Guardians(const std::string& ns) {
  auto list = kube::ListAll<api::Pod>(*client_, ns, {.label_selector = "korder.dev/role=guardian"});
  INFO(ToString(list.status()));
  REQUIRE(list.ok());
  return std::move(list->items);
}

int Cluster::ReadyTickets(const std::string& ns) {
  int ready = 0;
  for (const api::Ticket& ticket : Tickets(ns)) {
    ready += ticket.status.phase == api::TicketPhase::kReady ? 1 : 0;
  }
  return ready;
}

double Cluster::Metric(const std::string& service, const std::string& name,
                       const std::string& filter) {
  return SumOf(Shell(absl::StrCat("curl -sf http://$(scripts/services status --name ",
                                  Env("KORDER_INSTANCE"), " | awk '$1 == \"", service,
                                  "\" {print $7}')/metrics")),
               name, filter);
}

double Cluster::ServerMetric(const std::string& name, const std::string& filter) {
  const auto text = client_->Raw({"GET", "/metrics", "", ""});
  INFO(ToString(text.status()));
  REQUIRE(text.ok());
  return SumOf(*text, name, filter);
}

}  // namespace korder::integration
