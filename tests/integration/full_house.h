// A cluster without an idle core: guardians hold all of it, and pods wait to take whatever is free
// for an instant. For tests of what becomes of the room when it passes on.
//
//   FullHouse house(cluster, {.thieves = 200});
//   const Claims claims = house.Claim(100, 64);
//   CHECK(house.Stolen().empty());
//
// Everything is of one core; the nodes of the fixture have whole cores.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "base/mutex.h"
#include "cluster.h"
#include "kube/informer.h"

namespace korder::integration {

// When pods were bound, as a watch shows it. Thread-safe.
class BindWatch {
 public:
  struct Bound {
    std::string node;
    absl::Time at;
  };

  // Of the pods with these labels, in all namespaces. Returns once the watch is there.
  BindWatch(kube::Client& client, std::string label_selector);
  ~BindWatch();

  // By "namespace/name"; pods that are gone count, too.
  std::map<std::string, Bound> All() const;
  // Whether that many are bound in time.
  bool Await(size_t count, absl::Duration limit) const;

 private:
  kube::Informer<api::Pod> informer_;
  mutable Mutex mu_;
  std::map<std::string, Bound> bound_ ABSL_GUARDED_BY(mu_);
  std::jthread thread_;
};

struct Claims {
  int asked = 0;
  int on_ticket_node = 0;  // bound to the node of the ticket that they claimed
  int elsewhere = 0;
  int unbound = 0;
  int told_lost = 0;                    // of the unbound: told that the room was lost on its way
  absl::Duration took;                  // from the first POST to the last binding
  std::vector<absl::Duration> latency;  // POST to bound, sorted

  absl::Duration Percentile(double p) const;
};

// One line for people: how many, how fast.
std::string Summary(const Claims& claims);

class FullHouse {
 public:
  struct Options {
    int thieves = 200;
    // Less than the cluster's cores leaves some to fillers.
    int tickets = 400;
    std::string refresh_policy;  // of the order; "" leaves it to korder
    std::string claimer_class;   // PriorityClass of the pods that ask
  };

  // Takes all room. REQUIRES: the cluster is empty.
  FullHouse(Cluster& cluster, Options options);
  // Waits until the cluster is empty again.
  ~FullHouse();

  // Makes pods that ask for the tickets, as many at a time as `width`, the next one as soon as one
  // is bound. `every`: open loop instead, one pod each.
  Claims Claim(int count, int width, absl::Duration every = absl::ZeroDuration());
  // As Claim, and does not wait for anything.
  void Ask(int count);
  // What became of all pods that asked so far.
  Claims Outcome();

  // Thieves that were bound, ever.
  std::vector<std::string> Stolen() const;
  // Thieves that have room now.
  int ThievesWithRoom() const;
  const std::string& ns() const { return ns_; }
  const std::vector<std::string>& asked() const { return asked_; }
  bool AwaitBound(size_t count, absl::Duration limit) const {
    return claimers_.Await(count, limit);
  }

 private:
  absl::Time Post(int number);

  Cluster& cluster_;
  const Options options_;
  const std::string ns_;
  const std::string thieves_ns_;
  BindWatch thieves_;
  BindWatch claimers_;
  std::vector<std::string> asked_;
};

// Bare pods on idle nodes, one each `every`: what a claim is measured against.
Claims BindBarePods(Cluster& cluster, int count, absl::Duration every);

}  // namespace korder::integration
