#include "base/shared_pool.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/parallel.h"

namespace korder {

TEST_CASE("shared pool: equal values are the same object", "[shared_pool]") {
  SharedPool<std::string> pool;
  const auto one = pool.Intern("one");
  CHECK(*one == "one");
  CHECK(pool.Intern("one") == one);
  CHECK(pool.Intern("two") != one);
}

TEST_CASE("shared pool: what nobody shares any more does not pile up", "[shared_pool]") {
  SharedPool<std::string> pool;
  const auto kept = pool.Intern("kept");
  for (int i = 0; i < 10'000; ++i) {
    pool.Intern(std::to_string(i));
  }
  CHECK(pool.size() < 200);
  CHECK(pool.Intern("kept") == kept);
}

TEST_CASE("shared pool: what is shared stays, however much it is", "[shared_pool]") {
  SharedPool<std::string> pool;
  std::vector<SharedPool<std::string>::Ptr> kept;
  for (int i = 0; i < 1000; ++i) {
    kept.push_back(pool.Intern(std::to_string(i)));
  }
  CHECK(pool.size() == 1000);
  CHECK(pool.Intern("0") == kept[0]);
}

TEST_CASE("shared pool: the process has one copy, whichever thread asks", "[shared_pool]") {
  std::vector<std::shared_ptr<const std::string>> found(8);
  ParallelFor(found.size(), found.size(),
              [&](size_t i) { found[i] = SharedInProcess<std::string>("the same"); });
  for (const auto& one : found) {
    CHECK(one == found[0]);
  }
}

}  // namespace korder
