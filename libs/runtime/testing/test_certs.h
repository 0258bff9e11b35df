// Certificates for tests, minted on the spot.
//
//   TestCa ca;
//   TlsMaterial server = ca.Issue("korder-quota-svc");   // trusts ca, names: it and localhost
#pragma once

#include <memory>
#include <string>

#include "runtime/tls.h"

namespace korder::runtime {

class TestCa {
 public:
  TestCa();
  ~TestCa();

  // A certificate for server and client use, valid for a day: CN and first DNS name are `name`.
  TlsMaterial Issue(const std::string& name) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace korder::runtime
