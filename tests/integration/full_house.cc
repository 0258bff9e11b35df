#include "full_house.h"

#include <algorithm>
#include <atomic>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "api/v1alpha1/names.h"
#include "base/parallel.h"

namespace korder::integration {
namespace {

constexpr char kLabel[] = "storm";

// A pod of one core.
api::Pod CorePod(const std::string& ns, const std::string& name, const std::string& role) {
  api::Pod pod;
  pod.metadata.ns = ns;
  pod.metadata.name = name;
  pod.metadata.labels = {{kLabel, role}};
  api::Container& container = pod.spec.containers.emplace_back();
  container.name = "app";
  container.image = "registry.k8s.io/pause:3.10";
  container.resources.requests = {{"cpu", api::Quantity::FromInt(1)}};
  return pod;
}

void SleepUntil(absl::Time when) {
  absl::SleepFor(std::max(when - absl::Now(), absl::ZeroDuration()));
}

}  // namespace

BindWatch::BindWatch(kube::Client& client, std::string label_selector)
    : informer_(client, {.label_selector = std::move(label_selector)}) {
  informer_.OnChange([this](const api::Pod* was, const api::Pod* is) {
    if (is != nullptr && api::IsBound(*is) && (was == nullptr || !api::IsBound(*was))) {
      const MutexLock lock(mu_);
      bound_[kube::KeyOf(*is).ToString()] = {is->spec.node_name, absl::Now()};
    }
  });
  thread_ = std::jthread([this](std::stop_token stop) { informer_.Run(stop); });
  REQUIRE(informer_.WaitForSync(thread_.get_stop_token()));
}

BindWatch::~BindWatch() {
  thread_.request_stop();
  thread_.join();
}

std::map<std::string, BindWatch::Bound> BindWatch::All() const {
  const MutexLock lock(mu_);
  return bound_;
}

bool BindWatch::Await(size_t count, absl::Duration limit) const {
  return Eventually(limit, [&] { return All().size() >= count; });
}

absl::Duration Claims::Percentile(double p) const {
  if (latency.empty()) {
    return absl::InfiniteDuration();
  }
  const auto last = static_cast<double>(latency.size() - 1);
  return latency[static_cast<size_t>(p * last)];
}

std::string Summary(const Claims& claims) {
  return absl::StrFormat(
      "%d asked, %d on their ticket's node, %d elsewhere, %d unbound; %.0f/s, "
      "p50 %.0f ms, p99 %.0f ms",
      claims.asked, claims.on_ticket_node, claims.elsewhere, claims.unbound,
      claims.asked / absl::ToDoubleSeconds(claims.took),
      absl::ToDoubleMilliseconds(claims.Percentile(0.5)),
      absl::ToDoubleMilliseconds(claims.Percentile(0.99)));
}

FullHouse::FullHouse(Cluster& cluster, Options options)
    : cluster_(cluster),
      options_(std::move(options)),
      ns_(cluster.NewNamespace("storm")),
      thieves_ns_(cluster.NewNamespace("thieves")),
      thieves_(cluster.client(), absl::StrCat(kLabel, "=thief-", thieves_ns_)),
      claimers_(cluster.client(), absl::StrCat(kLabel, "=claimer-", ns_)) {
  const std::string policy =
      options_.refresh_policy.empty() ? "" : "refreshPolicy: " + options_.refresh_policy + ", ";
  REQUIRE(cluster
              .Apply(absl::StrCat("{apiVersion: core.korder.dev/v1alpha1, kind: Order, metadata: "
                                  "{name: storm, namespace: ",
                                  ns_, "}, spec: {", policy, "replicas: ", options_.tickets,
                                  ", template: {spec: {duration: 2h, resources: {requests: {cpu: "
                                  "1}}}}}}"))
              .exit_code == 0);
  REQUIRE(Eventually(absl::Seconds(180),
                     [&] { return cluster.ReadyTickets(ns_) == options_.tickets; }));
  ParallelFor(static_cast<size_t>(options_.thieves), 8, [&](size_t i) {
    (void)cluster_.client().Create(
        CorePod(thieves_ns_, absl::StrCat("thief-", i), "thief-" + thieves_ns_));
  });
  // All have been tried, and refused.
  REQUIRE(Eventually(absl::Seconds(60), [&] {
    const auto pods = kube::ListAll<api::Pod>(cluster.client(), thieves_ns_);
    return pods.ok() &&
           std::count_if(pods->items.begin(), pods->items.end(), [](const api::Pod& pod) {
             return api::Unschedulable(pod) != nullptr;
           }) == options_.thieves;
  }));
  REQUIRE(Stolen().empty());
}

FullHouse::~FullHouse() {
  cluster_.TryShell("kubectl delete orders -n " + ns_ + " --all --wait=false");
  for (const std::string& ns : {thieves_ns_, ns_}) {
    cluster_.TryShell("kubectl delete pods --all --force --grace-period=0 --wait=false -n " + ns);
  }
  Eventually(absl::Seconds(90), [&] {
    const auto pods = kube::ListAll<api::Pod>(cluster_.client(), ns_);
    return pods.ok() && pods->items.empty() && cluster_.Tickets(ns_).empty();
  });
}

absl::Time FullHouse::Post(int number) {
  api::Pod pod = CorePod(ns_, absl::StrCat("app-", number), "claimer-" + ns_);
  pod.metadata.annotations = {{std::string(api::kAnnotationRequired), "true"},
                              {std::string(api::kAnnotationOrder), "storm"},
                              {std::string(api::kAnnotationFallback), "wait"}};
  pod.spec.priority_class_name = options_.claimer_class;
  const absl::Time at = absl::Now();
  const auto made = cluster_.client().Create(pod);
  return made.ok() ? at : absl::InfiniteFuture();
}

Claims FullHouse::Claim(int count, int width, absl::Duration every) {
  const int first = static_cast<int>(asked_.size());
  const size_t before = claimers_.All().size();
  const absl::Time begin = absl::Now();
  std::vector<absl::Time> posted(static_cast<size_t>(count));
  std::atomic<int> made = 0;
  ParallelFor(static_cast<size_t>(count), every > absl::ZeroDuration() ? 1 : 16, [&](size_t i) {
    const int number = static_cast<int>(i);
    if (every > absl::ZeroDuration()) {
      SleepUntil(begin + number * every);
    } else {
      Eventually(absl::Seconds(30), [&] {
        const size_t through = claimers_.All().size() - before;
        return made < width + static_cast<int>(through);
      });
    }
    ++made;
    posted[i] = Post(first + number);
  });
  for (int i = 0; i < count; ++i) {
    asked_.push_back(absl::StrCat(ns_, "/app-", first + i));
  }
  claimers_.Await(before + static_cast<size_t>(count), absl::Seconds(60));
  Claims claims = Outcome();
  claims.asked = count;
  absl::Time last = begin;
  for (const auto& [key, bound] : claimers_.All()) {
    for (int i = 0; i < count; ++i) {
      if (key == asked_[static_cast<size_t>(first + i)]) {
        claims.latency.push_back(bound.at - posted[static_cast<size_t>(i)]);
        last = std::max(last, bound.at);
      }
    }
  }
  std::sort(claims.latency.begin(), claims.latency.end());
  claims.took = last - begin;
  return claims;
}

void FullHouse::Ask(int count) {
  const int first = static_cast<int>(asked_.size());
  ParallelFor(static_cast<size_t>(count), 8, [&](size_t i) { Post(first + static_cast<int>(i)); });
  for (int i = 0; i < count; ++i) {
    asked_.push_back(absl::StrCat(ns_, "/app-", first + i));
  }
}

Claims FullHouse::Outcome() {
  Claims claims;
  std::map<std::string, std::string> ticket_nodes;
  for (const api::Ticket& ticket : cluster_.Tickets(ns_)) {
    ticket_nodes[ticket.metadata.name] = ticket.status.node_name;
  }
  const auto pods =
      kube::ListAll<api::Pod>(cluster_.client(), ns_, {.label_selector = absl::StrCat(kLabel)});
  REQUIRE(pods.ok());
  for (const api::Pod& pod : pods->items) {
    ++claims.asked;
    const std::string ticket(api::ValueOf(pod.metadata.annotations, api::kAnnotationClaimedTicket));
    if (!api::IsBound(pod)) {
      ++claims.unbound;
      claims.told_lost += api::ValueOf(pod.metadata.annotations, api::kAnnotationClaimResult) ==
                                  api::kClaimResultLost
                              ? 1
                              : 0;
    } else if (ticket_nodes.contains(ticket) && ticket_nodes[ticket] == pod.spec.node_name) {
      ++claims.on_ticket_node;
    } else {
      ++claims.elsewhere;
    }
  }
  return claims;
}

std::vector<std::string> FullHouse::Stolen() const {
  std::vector<std::string> names;
  for (const auto& [name, bound] : thieves_.All()) {
    names.push_back(name + " on " + bound.node);
  }
  return names;
}

int FullHouse::ThievesWithRoom() const {
  const auto pods = kube::ListAll<api::Pod>(cluster_.client(), thieves_ns_);
  REQUIRE(pods.ok());
  return static_cast<int>(std::count_if(
      pods->items.begin(), pods->items.end(),
      [](const api::Pod& pod) { return api::IsBound(pod) && !api::IsTerminal(pod); }));
}

Claims BindBarePods(Cluster& cluster, int count, absl::Duration every) {
  const std::string ns = cluster.NewNamespace("bare");
  const BindWatch watch(cluster.client(), absl::StrCat(kLabel, "=bare-", ns));
  std::map<std::string, absl::Time> posted;
  const absl::Time begin = absl::Now();
  for (int i = 0; i < count; ++i) {
    SleepUntil(begin + i * every);
    const std::string name = absl::StrCat("bare-", i);
    posted[ns + "/" + name] = absl::Now();
    REQUIRE(cluster.client().Create(CorePod(ns, name, "bare-" + ns)).ok());
  }
  REQUIRE(watch.Await(static_cast<size_t>(count), absl::Seconds(30)));
  Claims claims{.asked = count, .on_ticket_node = count};
  for (const auto& [name, bound] : watch.All()) {
    claims.latency.push_back(bound.at - posted[name]);
    claims.took = std::max(claims.took, bound.at - begin);
  }
  std::sort(claims.latency.begin(), claims.latency.end());
  cluster.TryShell("kubectl delete pods --all --force --grace-period=0 --wait=false -n " + ns);
  Eventually(absl::Seconds(30), [&] {
    const auto pods = kube::ListAll<api::Pod>(cluster.client(), ns);
    return pods.ok() && pods->items.empty();
  });
  return claims;
}

}  // namespace korder::integration
