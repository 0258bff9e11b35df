// What korder writes for tickets until they are Ready, written by nobody: sixteen callers that have
// nothing to think about make the same requests, with the same bodies (ticket_copy.h). What korder
// could come to at best on this machine.
//
//   WritesAlone alone(plane);   // makes the kind of the copies
//   alone.TakeModel();
//   {
//     WritesAlone::Writing writing(alone, ns, 300);
//     while (writing.ready() < 300) { ... }
//   }
//   plane.Do("DELETE", CopiesOf(ns));
//
// Each is three requests: POST of the ticket, POST of its guardian, and PUT of the ticket's status
// once a watch has shown that the guardian runs; the API server's other writers add the same as for
// korder's. Throws std::runtime_error. Not thread-safe.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"
#include "kube/informer.h"
#include "plane.h"
#include "ticket-svc/own_pod.h"
#include "ticket_copy.h"

namespace korder::bench {

// The collection of copied tickets.
std::string CopiesOf(const std::string& ns);

class WritesAlone {
 public:
  // Borrows the plane. The kind of the copies is there as long as the object.
  explicit WritesAlone(Plane& plane);

  // The first time: takes a ticket of korder's as the model, and waits until the garbage collector
  // knows the kind of the copies as it knows Tickets. It looks for new kinds twice a minute, so
  // there is something better to do between the construction and this.
  void TakeModel();

  class Writing;

 private:
  // An object of this program's own, for as long as it lives.
  class Own {
   public:
    Own(Plane& plane, const std::string& collection, std::string_view name,
        const std::string& text);
    ~Own();
    Own(const Own&) = delete;
    Own& operator=(const Own&) = delete;

   private:
    Plane& plane_;
    const std::string path_;
  };

  Plane& plane_;
  const Own kind_;
  const Own priority_class_;
  // Namespace of a copy whose owner never was, which the garbage collector deletes once it knows
  // the kind.
  const std::string orphanage_;
  std::optional<TicketCopies> copies_;
};

// A number of copies being made. Ends what is under way when it is destroyed.
class WritesAlone::Writing {
 public:
  // REQUIRES: the model is taken.
  Writing(WritesAlone& alone, const std::string& ns, int count);

  // Of how many the status was written.
  int ready();

 private:
  struct Running {
    TicketCopy ticket;
    std::string node;
  };

  void OnPod(const ticket::OwnPod& pod);
  void Work(std::stop_token stop);
  absl::Status Make(int number, std::stop_token stop);
  absl::Status WriteReady(const Running& running, std::stop_token stop);

  kube::Client& client_;
  const TicketCopies& copies_;
  const std::string ns_;
  const int count_;
  std::string order_uid_;
  kube::Informer<ticket::OwnPod> pods_;

  Mutex mu_;
  CondVar changed_;
  int begun_ ABSL_GUARDED_BY(mu_) = 0;
  int ready_ ABSL_GUARDED_BY(mu_) = 0;
  std::map<std::string, TicketCopy> waiting_ ABSL_GUARDED_BY(mu_);  // by their guardian's name
  std::deque<Running> running_ ABSL_GUARDED_BY(mu_);
  absl::Status failure_ ABSL_GUARDED_BY(mu_);

  std::vector<std::jthread> threads_;
};

}  // namespace korder::bench
