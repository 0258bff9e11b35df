#include <catch2/catch.hpp>

#include "api/admission/admission_review.h"
#include "api/admission/json_patch.h"
#include "api/core/pod.h"
#include "api/testing/from_json.h"

namespace korder::api {
namespace {

constexpr char kReview[] = R"({
  "kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1",
  "request":{
    "uid":"705ab4f5-6393-11e8-b7cc-42010a800002",
    "kind":{"group":"","version":"v1","kind":"Pod"},
    "resource":{"group":"","version":"v1","resource":"pods"},
    "requestKind":{"group":"","version":"v1","kind":"Pod"},
    "requestResource":{"group":"","version":"v1","resource":"pods"},
    "namespace":"default","operation":"CREATE",
    "userInfo":{"username":"system:serviceaccount:kube-system:replicaset-controller",
      "uid":"014f","groups":["system:serviceaccounts","system:authenticated"],
      "extra":{"authentication.kubernetes.io/credential-id":["JTI=1"]}},
    "object":{"kind":"Pod","apiVersion":"v1","metadata":{"generateName":"web-"},
              "spec":{"containers":[{"name":"app"}]}},
    "oldObject":null,"dryRun":true,
    "options":{"kind":"CreateOptions","apiVersion":"meta.k8s.io/v1"}}})";

TEST_CASE("admission: a review as the API server sends it is read", "[admission]") {
  const auto review = FromJson<AdmissionReview>(kReview);
  REQUIRE(review.request.has_value());
  const AdmissionRequest& request = *review.request;
  CHECK(request.kind == GroupVersionKind{"", "v1", "Pod"});
  CHECK(request.resource.resource == "pods");
  CHECK(request.operation == kOperationCreate);
  CHECK(request.ns == "default");
  CHECK(request.name.empty());
  CHECK(request.user_info.username == "system:serviceaccount:kube-system:replicaset-controller");
  CHECK(request.user_info.groups.size() == 2);
  CHECK(request.dry_run);
  CHECK(request.old_object.text.empty());
  CHECK(FromJson<Pod>(request.object.text).metadata.generate_name == "web-");
}

TEST_CASE("admission: a plain yes carries nothing but the request's uid", "[admission]") {
  AdmissionReview review;
  review.response = Allow(AdmissionRequest{.uid = "7"});
  CHECK(json::Print(review) == R"({"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview",)"
                               R"("response":{"uid":"7","allowed":true}})");
}

TEST_CASE("admission: a patch travels as base64 with its type", "[admission]") {
  JsonPatch patch;
  patch.Add({"spec", "paused"}, true);
  const AdmissionResponse response = AllowPatched(AdmissionRequest{.uid = "7"}, patch.Take());
  CHECK(response.patch_type == "JSONPatch");
  CHECK(json::Print(response) ==
        R"({"uid":"7","allowed":true,"patch":)"
        R"("W3sib3AiOiJhZGQiLCJwYXRoIjoiL3NwZWMvcGF1c2VkIiwidmFsdWUiOnRydWV9XQ==",)"
        R"("patchType":"JSONPatch"})");
}

TEST_CASE("admission: an empty patch is a plain yes", "[admission]") {
  const AdmissionRequest request{.uid = "7"};
  CHECK(AllowPatched(request, JsonPatch().Take()) == Allow(request));
}

TEST_CASE("admission: a refusal says why, in a form that kubectl prints", "[admission]") {
  const AdmissionResponse response = Deny(AdmissionRequest{.uid = "7"}, 422, "Invalid",
                                          "spec.replicas: \"-1\": must be 0 or more");
  CHECK_FALSE(response.allowed);
  const auto read = FromJson<AdmissionResponse>(json::Print(response));
  REQUIRE(read.status.has_value());
  CHECK(read.status->code == 422);
  CHECK(read.status->reason == "Invalid");
  CHECK(read.status->message == "spec.replicas: \"-1\": must be 0 or more");
}

TEST_CASE("json patch: operations come in order, with escaped paths", "[admission][patch]") {
  JsonPatch patch;
  CHECK(patch.empty());
  patch.Test({"metadata", "uid"}, std::string("u-1"))
      .Add({"metadata", "labels", "korder.dev/claim"}, std::string("pending"))
      .Replace({"spec", "schedulingGates"}, std::vector<PodSchedulingGate>{{"a"}, {"b"}})
      .Remove({"spec", "a~b", "0"});
  CHECK_FALSE(patch.empty());
  CHECK(patch.Take() ==
        R"([{"op":"test","path":"/metadata/uid","value":"u-1"},)"
        R"({"op":"add","path":"/metadata/labels/korder.dev~1claim","value":"pending"},)"
        R"({"op":"replace","path":"/spec/schedulingGates","value":[{"name":"a"},{"name":"b"}]},)"
        R"({"op":"remove","path":"/spec/a~0b/0"}])");
  CHECK(patch.empty());
  CHECK(patch.Take() == "");
}

}  // namespace
}  // namespace korder::api
