// Certificates for tests, minted on the spot.
//
//   TestCa ca;
//   TestCa::Pair server = ca.Issue("localhost", "DNS:localhost,IP:127.0.0.1");
//   config.ca = ca.pem();
#pragma once

#include <memory>
#include <string>

namespace korder::kube {

class TestCa {
 public:
  struct Pair {
    std::string certificate;  // PEM
    std::string key;          // PEM
  };

  TestCa();
  ~TestCa();

  const std::string& pem() const;
  // Valid for a day, for servers and clients. `names` is in OpenSSL's form: "DNS:a,IP:127.0.0.1".
  Pair Issue(const std::string& common_name, const std::string& names) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace korder::kube
