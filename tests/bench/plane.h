// The control plane that is put to work: requests that must succeed, in namespaces of our own.
//
//   Plane plane;
//   const std::string ns = plane.MakeNamespace();
//   plane.Do("POST", PodsOf(ns), PodText("bare-0"));
//   plane.DropNamespace(ns);
//
// Throws std::runtime_error with what is wrong. Do and Try may be called by many threads.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "kube/client.h"

namespace korder::bench {

class Plane {
 public:
  // Of this kubeconfig; empty: KUBECONFIG.
  explicit Plane(const std::string& kubeconfig = "");
  ~Plane();

  kube::Client& client() { return *client_; }

  // The body of the answer.
  std::string Do(const std::string& method, const std::string& target,
                 const std::string& body = "");
  // For the threads of load generators: what fails is told, and missed by who waits for it.
  void Try(const std::string& method, const std::string& target, const std::string& body);
  // Objects in a collection.
  int Count(const std::string& collection);

  std::string MakeNamespace();
  void DropNamespace(const std::string& ns);

 private:
  std::unique_ptr<kube::HttpTransport> transport_;
  std::unique_ptr<kube::Client> client_;
};

// The value, or what is wrong thrown.
template <class T>
T ValueOf(absl::StatusOr<T> value) {
  if (!value.ok()) {
    throw std::runtime_error(ToString(value.status()));
  }
  return *std::move(value);
}

// --- collections and objects; each asks for the same room ---

std::string PodsOf(const std::string& ns);
std::string OrdersOf(const std::string& ns);
std::string TicketsOf(const std::string& ns);

std::string PodText(const std::string& name);
std::string TicketText(const std::string& name);
std::string OrderText(const std::string& ns, const std::string& name, int size);

}  // namespace korder::bench
