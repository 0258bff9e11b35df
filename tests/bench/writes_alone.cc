#include "writes_alone.h"

#include <optional>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "api/v1alpha1/order.h"
#include "base/pause.h"
#include "base/status_macros.h"
#include "ticket-svc/keys.h"

namespace korder::bench {
namespace {

constexpr int kCallers = 16;
constexpr absl::Duration kPatience = absl::Minutes(2);
constexpr char kKinds[] = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
constexpr char kPriorityClasses[] = "/apis/scheduling.k8s.io/v1/priorityclasses";
// Copies are named as the tickets of such an Order.
constexpr char kOrder[] = "order-0";

void Await(const std::string& what, const std::function<bool()>& holds) {
  for (const absl::Time begin = absl::Now(); !holds(); Pause(absl::Milliseconds(100), {})) {
    if (absl::Now() - begin > kPatience) {
      throw std::runtime_error(absl::StrCat("waited in vain until ", what));
    }
  }
}

bool IsThere(Plane& plane, const std::string& path) {
  return plane.client().Raw({"GET", path, "", ""}).ok();
}

}  // namespace

std::string CopiesOf(const std::string& ns) {
  return absl::StrCat("/apis/", TicketCopy::kResource.ApiVersion(), "/namespaces/", ns, "/",
                      std::string(TicketCopy::kResource.plural));
}

WritesAlone::Own::Own(Plane& plane, const std::string& collection, std::string_view name,
                      const std::string& text)
    : plane_(plane), path_(absl::StrCat(collection, "/", std::string(name))) {
  // A run that was broken off may have left one.
  (void)plane_.client().Raw({"DELETE", path_, "", ""});
  Await(path_ + " is gone", [&] { return !IsThere(plane_, path_); });
  plane_.Do("POST", collection, text);
}

WritesAlone::Own::~Own() { (void)plane_.client().Raw({"DELETE", path_, "", ""}); }

WritesAlone::WritesAlone(Plane& plane)
    : plane_(plane),
      kind_(plane, kKinds, kCopiedKind,
            KindText(plane.Do("GET", absl::StrCat(kKinds, "/tickets.core.korder.dev")))),
      priority_class_(
          plane, kPriorityClasses, kCopiedPriorityClass,
          PriorityClassText(plane.Do("GET", absl::StrCat(kPriorityClasses, "/korder-guardian")))),
      orphanage_(plane.MakeNamespace()) {
  const std::string copies = CopiesOf(orphanage_);
  Await("copies can be made", [&] { return IsThere(plane_, copies); });
  TicketCopy orphan;
  if (!json::Parse(TicketText("orphan"), orphan).ok()) {
    throw std::runtime_error("a ticket of our own cannot be read");
  }
  api::Order nobody;
  nobody.metadata.name = kOrder;
  nobody.metadata.uid = "00000000-0000-0000-0000-000000000000";
  orphan.metadata.ns = orphanage_;
  orphan.metadata.owner_references = {api::ControllerReference(nobody)};
  ValueOf(plane_.client().Create(orphan));
}

void WritesAlone::TakeModel() {
  if (copies_) {
    return;
  }
  const std::string ns = plane_.MakeNamespace();
  kube::Client& client = plane_.client();
  plane_.Do("POST", OrdersOf(ns), OrderText(ns, kOrder, 1));
  api::Ticket ticket;
  Await("korder's ticket is Ready", [&] {
    auto tickets = ValueOf(kube::ListAll<api::Ticket>(client, ns)).items;
    if (tickets.empty() || tickets.front().status.phase != api::TicketPhase::kReady) {
      return false;
    }
    ticket = std::move(tickets.front());
    return true;
  });
  copies_.emplace(ticket,
                  ValueOf(client.Get<api::Pod>(ticket::ParseKey(ticket.status.guardian_pod))));
  plane_.Do("DELETE", absl::StrCat(OrdersOf(ns), "/", kOrder));
  Await("korder's ticket is gone",
        [&] { return plane_.Count(TicketsOf(ns)) + plane_.Count(PodsOf(ns)) == 0; });
  plane_.DropNamespace(ns);
  Await("the garbage collector knows the kind of the copies",
        [&] { return plane_.Count(CopiesOf(orphanage_)) == 0; });
  plane_.DropNamespace(orphanage_);
}

WritesAlone::Writing::Writing(WritesAlone& alone, const std::string& ns, int count)
    : client_(alone.plane_.client()),
      copies_(alone.copies_.value()),
      ns_(ns),
      count_(count),
      pods_(client_, {.ns = ns}) {
  // An owner for the copies, without tickets of its own.
  alone.plane_.Do("POST", OrdersOf(ns), OrderText(ns, kOrder, 0));
  order_uid_ = ValueOf(client_.Get<api::Order>({ns, kOrder})).metadata.uid;
  pods_.OnChange([this](const ticket::OwnPod*, const ticket::OwnPod* is) {
    if (is != nullptr) {
      OnPod(*is);
    }
  });
  threads_.emplace_back([this](std::stop_token stop) { pods_.Run(std::move(stop)); });
  for (int i = 0; i < kCallers; ++i) {
    threads_.emplace_back([this](std::stop_token stop) { Work(std::move(stop)); });
  }
}

int WritesAlone::Writing::ready() {
  const MutexLock lock(mu_);
  if (!failure_.ok()) {
    throw std::runtime_error(ToString(failure_));
  }
  return ready_;
}

void WritesAlone::Writing::OnPod(const ticket::OwnPod& pod) {
  if (pod.phase != api::kPodRunning) {
    return;
  }
  const MutexLock lock(mu_);
  if (auto waiting = waiting_.extract(pod.metadata.name)) {
    running_.push_back({std::move(waiting.mapped()), pod.node_name});
    changed_.NotifyOne();
  }
}

// What is nearest to its end goes first.
void WritesAlone::Writing::Work(std::stop_token stop) {
  for (;;) {
    std::optional<Running> running;
    int number = 0;
    {
      const MutexLock lock(mu_);
      changed_.Wait(mu_, stop, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
        return !running_.empty() || begun_ < count_;
      });
      if (stop.stop_requested()) {
        return;
      }
      if (!running_.empty()) {
        running = std::move(running_.front());
        running_.pop_front();
      } else {
        number = begun_++;
      }
    }
    const absl::Status done = running ? WriteReady(*running, stop) : Make(number, stop);
    const MutexLock lock(mu_);
    failure_.Update(done);
    ready_ += running && done.ok();
  }
}

absl::Status WritesAlone::Writing::Make(int number, std::stop_token stop) {
  ASSIGN_OR_RETURN(TicketCopy made,
                   client_.Create(copies_.Ticket(ns_, order_uid_, number), {.stop = stop}));
  const api::Pod guardian = copies_.Guardian(made);
  {
    // Before it is there: it may run sooner than the answer comes.
    const MutexLock lock(mu_);
    waiting_.emplace(guardian.metadata.name, std::move(made));
  }
  return client_.Create(guardian, {.stop = stop}).status();
}

absl::Status WritesAlone::Writing::WriteReady(const Running& running, std::stop_token stop) {
  return client_.UpdateStatus(copies_.Ready(running.ticket, running.node), {.stop = stop}).status();
}

}  // namespace korder::bench
