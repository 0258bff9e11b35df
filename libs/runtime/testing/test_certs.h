// Certificates for tests, minted on the spot.
//
//   TestCa ca;
//   TlsMaterial server = ca.Issue("korder-quota-svc");   // trusts ca, names: it and localhost
#pragma once

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "runtime/tls.h"

namespace korder::runtime {

class TestCa {
 public:
  TestCa();
  ~TestCa();

  // A certificate for server and client use, made an hour ago: CN and first DNS name are `name`.
  // It ends after `life` from now, which may be over.
  TlsMaterial Issue(const std::string& name, absl::Duration life = absl::Hours(24)) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace korder::runtime
