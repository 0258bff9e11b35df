#include "mutate.h"

#include <set>

#include <catch2/catch.hpp>

namespace korder::fuzz {
namespace {

TEST_CASE("mutator: the examples come first, as they are", "[fuzz]") {
  Mutator mutator({"a", "b"}, 1);
  CHECK(mutator.Make(0) == "a");
  CHECK(mutator.Make(1) == "b");
}

TEST_CASE("mutator: seed and number say everything, in whatever order they are asked for",
          "[fuzz]") {
  const std::vector<std::string> corpus = {R"({"a":1,"b":[true,"c"]})", R"({"d":-2.5})"};
  Mutator forward(corpus, 7);
  Mutator backward(corpus, 7);
  Mutator other(corpus, 8);
  std::vector<std::string> made;
  for (uint64_t i = 0; i < 200; ++i) {
    made.push_back(forward.Make(i));
  }
  int differ = 0;
  for (uint64_t i = 200; i-- > 2;) {
    CHECK(backward.Make(i) == made[i]);
    differ += other.Make(i) != made[i] ? 1 : 0;
  }
  CHECK(differ > 150);
}

TEST_CASE("mutator: what it makes is of many kinds, and never too large", "[fuzz]") {
  Mutator mutator({R"({"name":"web","replicas":3})"}, 1);
  std::set<std::string> made;
  bool deep = false, cut = false, binary = false, twice = false;
  for (uint64_t i = 0; i < 3000; ++i) {
    const std::string text = mutator.Make(i);
    CHECK(text.size() <= 256 << 10);
    deep |= text.find("[[[[[[[[[[[[[[[[") != std::string::npos;
    cut |= text.size() < 10;
    binary |= text.find('\xff') != std::string::npos;
    twice |= text.find(R"("web","name":)") != std::string::npos;
    made.insert(text);
  }
  CHECK(made.size() > 2000);
  CHECK(deep);
  CHECK(cut);
  CHECK(binary);
  CHECK(twice);
}

TEST_CASE("mutator: lines and words of a text change places", "[fuzz]") {
  Mutator mutator({"epoch 7\nseq 42\nend\n"}, 1);
  bool moved = false, gone = false, twice = false, number = false;
  for (uint64_t i = 0; i < 3000; ++i) {
    const std::string text = mutator.Make(i);
    moved |= text == "seq 42\nepoch 7\nend\n";
    gone |= text == "epoch 7\nend\n";
    twice |= text == "epoch 7\nseq 42\nseq 42\nend\n";
    number |= text == "epoch 7\nseq 9223372036854775807\nend\n";
  }
  CHECK(moved);
  CHECK(gone);
  CHECK(twice);
  CHECK(number);
}

TEST_CASE("mutator: an empty example is no trouble", "[fuzz]") {
  Mutator mutator({""}, 1);
  for (uint64_t i = 0; i < 500; ++i) {
    (void)mutator.Make(i);
  }
}

}  // namespace
}  // namespace korder::fuzz
