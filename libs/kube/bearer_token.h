// The token that a client shows: a fixed one, or one in a file that somebody else rotates.
//
//   BearerToken token(config.token, config.token_file);
//   if (std::string now = token.Get(clock.Mono()); !now.empty()) { ... "Bearer " + now ... }
//
// Thread-safe.
#pragma once

#include <chrono>
#include <string>

#include "base/mono_time.h"
#include "base/mutex.h"

namespace korder::kube {

class BearerToken {
 public:
  // The file is read again when this much time has passed since: a kubelet replaces a token long
  // before the old one ends.
  static constexpr std::chrono::seconds kMaxAge{10};

  // A file wins over a fixed token.
  BearerToken(std::string token, std::string file);

  // The newest token; "" when there is none. When the file cannot be read, the last one read stays.
  std::string Get(MonoTime now);
  // The server refused the token: the next Get reads the file.
  void Refused();

 private:
  const std::string file_;
  Mutex mu_;
  std::string token_ ABSL_GUARDED_BY(mu_);
  MonoTime fresh_until_ ABSL_GUARDED_BY(mu_);
};

}  // namespace korder::kube
