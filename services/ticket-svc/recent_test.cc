#include "ticket-svc/recent.h"

#include <catch2/catch.hpp>

#include "base/testing/fake_clock.h"
#include "ticket-svc/testing/make.h"

namespace korder::ticket {
namespace {

api::Pod Version(const char* version, const char* uid = "u1") {
  api::Pod pod;
  pod.metadata.name = "shop";
  pod.metadata.ns = "default";
  pod.metadata.uid = uid;
  pod.metadata.resource_version = version;
  return pod;
}
const kube::ObjectKey kKey{"default", "shop"};

std::string Seen(const PodPtr& pod) {
  return pod ? pod->metadata.uid + "@" + pod->metadata.resource_version : "none";
}

bool Any(const api::Pod&) { return true; }

TEST_CASE("recent: our own write counts until the watch has caught up with it", "[recent]") {
  FakeClock clock;
  Recent<api::Pod> recent(clock);
  recent.Wrote(Version("10"));
  CHECK(Seen(recent.Newest(kKey, Share(Version("9")))) == "u1@10");
  CHECK(Seen(recent.Newest(kKey, Share(Version("11")))) == "u1@11");

  const api::Pod was = Version("9");
  const api::Pod is = Version("10");
  recent.OnChange(&was, &is);
  CHECK(recent.Those(Any).empty());
}

TEST_CASE("recent: what the watch may not have shown yet can be asked for by what it is like",
          "[recent]") {
  FakeClock clock;
  Recent<api::Pod> recent(clock);
  recent.Wrote(Version("10"));
  recent.Deleted({"default", "other"}, "u2");
  CHECK(recent.Those(Any).size() == 1);
  CHECK(recent.Those([](const api::Pod& pod) { return pod.metadata.deleting(); }).empty());
}

TEST_CASE("recent: versions are numbers, not texts", "[recent]") {
  FakeClock clock;
  Recent<api::Pod> recent(clock);
  recent.Wrote(Version("10"));
  CHECK(Seen(recent.Newest(kKey, Share(Version("9")))) == "u1@10");
}

TEST_CASE("recent: answers that come out of order do not go back in time", "[recent]") {
  FakeClock clock;
  Recent<api::Pod> recent(clock);
  recent.Wrote(Version("12"));
  recent.Wrote(Version("11"));
  CHECK(Seen(recent.Newest(kKey, nullptr)) == "u1@12");
}

TEST_CASE("recent: what we made is there before the watch shows it, for a while", "[recent]") {
  FakeClock clock;
  Recent<api::Pod> recent(clock);
  recent.Wrote(Version("10"));
  CHECK(Seen(recent.Newest(kKey, nullptr)) == "u1@10");
  clock.Advance(absl::Seconds(11));
  CHECK(Seen(recent.Newest(kKey, nullptr)) == "none");
}

TEST_CASE("recent: what we made and the watch has seen go is gone", "[recent]") {
  FakeClock clock;
  Recent<api::Pod> recent(clock);
  recent.Wrote(Version("10"));
  const api::Pod was = Version("10");
  recent.OnChange(&was, nullptr);
  CHECK(Seen(recent.Newest(kKey, nullptr)) == "none");
}

TEST_CASE("recent: what we deleted is gone, a new one of its name is not", "[recent]") {
  FakeClock clock;
  Recent<api::Pod> recent(clock);
  recent.Deleted(kKey, "u1");
  CHECK(Seen(recent.Newest(kKey, Share(Version("10")))) == "none");
  CHECK(Seen(recent.Newest(kKey, Share(Version("12", "u2")))) == "u2@12");
  CHECK(Seen(recent.Newest(kKey, nullptr)) == "none");
}

TEST_CASE("recent: the memory is bounded", "[recent]") {
  FakeClock clock;
  Recent<api::Pod> recent(clock);
  for (int i = 0; i < 10000; ++i) {
    api::Pod pod = Version("10");
    pod.metadata.name = std::to_string(i);
    recent.Wrote(pod);
    clock.Advance(absl::Milliseconds(100));
  }
  CHECK(recent.Those(Any).size() <= 256);
}

}  // namespace
}  // namespace korder::ticket
