#include "base/shared_text.h"

#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "base/thread.h"

namespace korder {

TEST_CASE("shared text: reads as the text it was made from", "[shared_text]") {
  const std::string text =
      GENERATE(as<std::string>(), "", "a", "node-001", "a text of some length");
  const SharedText shared = text;
  CHECK(shared == text);
  CHECK(shared.str() == text);
  CHECK(shared.empty() == text.empty());
  const std::string& reference = shared;
  CHECK(reference == text);
  const std::string_view view = shared;
  CHECK(view == text);
  STATIC_REQUIRE(sizeof(SharedText) == sizeof(void*));
}

TEST_CASE("shared text: equal ones are kept once", "[shared_text]") {
  const SharedText first = "node-001";
  SharedText second = std::string("node-001");
  CHECK(first == second);
  CHECK(&first.str() == &second.str());
  second = "node-002";
  CHECK_FALSE(first == second);
  CHECK(first == "node-001");
  second = first;
  CHECK(&first.str() == &second.str());
  const SharedText third = std::move(second);
  CHECK(third == first);
}

TEST_CASE("shared text: one that nobody has any more goes when others are made", "[shared_text]") {
  const SharedText kept = "kept";
  for (int i = 0; i < 10'000; ++i) {
    CHECK(SharedText(absl::StrCat("passing-", i)).str() == absl::StrCat("passing-", i));
  }
  CHECK(SharedText::Kept() < 1'000);
  CHECK(kept == "kept");
}

TEST_CASE("shared text: threads may make, copy and drop the same ones", "[shared_text]") {
  constexpr int kThreads = 4;
  std::vector<Thread> threads;
  std::vector<int> wrong(kThreads, 0);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&wrong, t] {
      for (int i = 0; i < 5'000; ++i) {
        const std::string text = absl::StrCat("shared-", i % 200);
        const SharedText made = text;
        const SharedText copy = made;  // NOLINT(performance-unnecessary-copy-initialization)
        wrong[static_cast<size_t>(t)] += copy == text ? 0 : 1;
      }
    });
  }
  threads.clear();
  CHECK(wrong == std::vector<int>(kThreads, 0));
}

}  // namespace korder
