#include "mutate_message.h"

#include <set>

#include <catch2/catch.hpp>

#include "korder/quota/v1/quota.pb.h"

namespace korder::fuzz {
namespace {

namespace pb = quota::v1;

pb::AdmitRequest Request() {
  pb::AdmitRequest request;
  request.set_namespace_("default");
  request.mutable_order()->set_name("web");
  (*request.mutable_order()->mutable_claim()->mutable_requests())["cpu"] = "500m";
  return request;
}

TEST_CASE("message mutator: the seed says everything", "[fuzz]") {
  std::set<std::string> made;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    pb::AdmitRequest one = Request(), other = Request();
    MessageMutator(seed).Mutate(one, 3);
    MessageMutator(seed).Mutate(other, 3);
    const std::string text = one.DebugString();  // with the entries of maps in order
    CHECK((text == other.DebugString()));        // what is different is too long to be shown
    made.insert(text);
  }
  CHECK(made.size() > 100);
}

TEST_CASE("message mutator: every kind of field becomes something else", "[fuzz]") {
  bool no_name = false, other_subject = false, many = false, negative = false, deep = false;
  for (uint64_t seed = 0; seed < 3000; ++seed) {
    pb::AdmitRequest request = Request();
    MessageMutator(seed).Mutate(request, 3);
    no_name |= request.has_order() && request.order().name().empty();
    other_subject |= request.has_ticket();
    many |= request.order().claim().requests_size() > 2;
    negative |= request.order().replicas() < 0;
    deep |=
        request.order().claim().has_duration() && request.order().claim().duration().nanos() != 0;
  }
  CHECK(no_name);
  CHECK(other_subject);
  CHECK(many);
  CHECK(negative);
  CHECK(deep);
}

}  // namespace
}  // namespace korder::fuzz
