#include "api/core/pod_requests.h"

#include <catch2/catch.hpp>

#include "api/testing/from_json.h"

namespace korder::api {
namespace {

struct Case {
  std::string name;
  std::string spec;
  std::string want;
};

TEST_CASE("pod requests: what the scheduler counts", "[pod][requests]") {
  const Case cases[] = {
      {"no container asks for anything", R"({"containers":[{"name":"a"}]})", "{}"},
      {"containers add up",
       R"({"containers":[{"resources":{"requests":{"cpu":"500m","memory":"1Gi"}}},
                         {"resources":{"requests":{"cpu":"1","nvidia.com/gpu":"1"}}}]})",
       R"({"cpu":"1500m","memory":"1Gi","nvidia.com/gpu":"1"})"},
      {"a larger init container counts per resource",
       R"({"initContainers":[{"resources":{"requests":{"cpu":"2","memory":"100Mi"}}}],
           "containers":[{"resources":{"requests":{"cpu":"500m","memory":"1Gi"}}}]})",
       R"({"cpu":"2","memory":"1Gi"})"},
      {"init containers do not add up",
       R"({"initContainers":[{"resources":{"requests":{"cpu":"1"}}},
                             {"resources":{"requests":{"cpu":"1500m"}}}],
           "containers":[{"resources":{"requests":{"cpu":"500m"}}}]})",
       R"({"cpu":"1500m"})"},
      {"a sidecar runs beside the containers",
       R"({"initContainers":[{"restartPolicy":"Always","resources":{"requests":{"cpu":"300m"}}}],
           "containers":[{"resources":{"requests":{"cpu":"500m"}}}]})",
       R"({"cpu":"800m"})"},
      {"a sidecar runs beside the init containers after it",
       R"({"initContainers":[{"restartPolicy":"Always","resources":{"requests":{"cpu":"300m"}}},
                             {"resources":{"requests":{"cpu":"2"}}}],
           "containers":[{"resources":{"requests":{"cpu":"500m"}}}]})",
       R"({"cpu":"2300m"})"},
      {"a sidecar does not run beside the init containers before it",
       R"({"initContainers":[{"resources":{"requests":{"cpu":"2"}}},
                             {"restartPolicy":"Always","resources":{"requests":{"cpu":"300m"}}}],
           "containers":[{"resources":{"requests":{"cpu":"500m"}}}]})",
       R"({"cpu":"2"})"},
      {"two sidecars around an init container",
       R"({"initContainers":[{"restartPolicy":"Always","resources":{"requests":{"cpu":"100m"}}},
                             {"resources":{"requests":{"cpu":"1"}}},
                             {"restartPolicy":"Always","resources":{"requests":{"cpu":"200m"}}}],
           "containers":[{"resources":{"requests":{"cpu":"700m"}}}]})",
       R"({"cpu":"1100m"})"},
      {"overhead comes on top of everything",
       R"({"overhead":{"cpu":"250m","memory":"64Mi"},
           "initContainers":[{"resources":{"requests":{"cpu":"2"}}}],
           "containers":[{"resources":{"requests":{"cpu":"500m"}}}]})",
       R"({"cpu":"2250m","memory":"64Mi"})"},
      {"requests of the pod replace the sum, overhead still comes on top",
       R"({"overhead":{"cpu":"100m"},
           "resources":{"requests":{"cpu":"3","memory":"2Gi","hugepages-2Mi":"4Mi"}},
           "containers":[{"resources":{"requests":{"cpu":"500m","memory":"1Gi",
                                                   "nvidia.com/gpu":"2"}}}]})",
       R"({"cpu":"3100m","hugepages-2Mi":"4Mi","memory":"2Gi","nvidia.com/gpu":"2"})"},
      {"requests of the pod count only for cpu, memory and hugepages",
       R"({"resources":{"requests":{"nvidia.com/gpu":"8"}},
           "containers":[{"resources":{"requests":{"nvidia.com/gpu":"2"}}}]})",
       R"({"nvidia.com/gpu":"2"})"},
      {"limits of the pod alone do not count",
       R"({"resources":{"limits":{"cpu":"8"}},
           "containers":[{"resources":{"requests":{"cpu":"1"}}}]})",
       R"({"cpu":"1"})"},
      {"a limit without a request is the request",
       R"({"containers":[{"resources":{"limits":{"cpu":"2","memory":"1Gi"},
                                       "requests":{"cpu":"500m"}}}]})",
       R"({"cpu":"500m","memory":"1Gi"})"},
      {"a request of zero stays zero beside a limit",
       R"({"containers":[{"resources":{"limits":{"cpu":"2"},"requests":{"cpu":"0"}}}]})",
       R"({"cpu":"0"})"},
      {"amounts add up beyond 64 bits",
       R"({"containers":[{"resources":{"requests":{"memory":"9223372036854775807"}}},
                         {"resources":{"requests":{"memory":"9223372036854775807"}}}]})",
       R"({"memory":"18446744073709551614"})"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      CHECK(json::Print(PodRequests(FromJson<PodSpec>(c.spec))) == c.want);
    }
  }
}

}  // namespace
}  // namespace korder::api
