#include "kube/bearer_token.h"

#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"

namespace korder::kube {

BearerToken::BearerToken(std::string token, std::string file)
    : file_(std::move(file)), token_(std::move(token)) {}

std::string BearerToken::Get(MonoTime now) {
  const MutexLock lock(mu_);
  if (!file_.empty() && now >= fresh_until_) {
    std::ifstream in(file_);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    absl::StripAsciiWhitespace(&text);
    if (!text.empty()) {
      token_ = std::move(text);
    }
    fresh_until_ = now + kMaxAge;
  }
  return token_;
}

void BearerToken::Refused() {
  const MutexLock lock(mu_);
  fresh_until_ = MonoTime();
}

}  // namespace korder::kube
