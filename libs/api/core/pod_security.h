// The security settings that a guardian pod carries, at the level of the pod and of its container.
//
//   container.security_context = SecurityContext{.allow_privilege_escalation = false,
//                                                .run_as_non_root = true};
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "json/fields.h"

namespace korder::api {

struct SeccompProfile {
  std::string type;  // "RuntimeDefault"

  bool operator==(const SeccompProfile&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("type", self.type);
  }
};

struct Capabilities {
  std::vector<std::string> add;
  std::vector<std::string> drop;

  bool operator==(const Capabilities&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("add", self.add);
    v("drop", self.drop);
  }
};

// Of a container.
struct SecurityContext {
  std::optional<bool> allow_privilege_escalation;
  std::optional<Capabilities> capabilities;
  std::optional<bool> privileged;
  std::optional<bool> read_only_root_filesystem;
  std::optional<bool> run_as_non_root;
  std::optional<int64_t> run_as_user;
  std::optional<int64_t> run_as_group;
  std::optional<SeccompProfile> seccomp_profile;

  bool operator==(const SecurityContext&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("allowPrivilegeEscalation", self.allow_privilege_escalation);
    v("capabilities", self.capabilities);
    v("privileged", self.privileged);
    v("readOnlyRootFilesystem", self.read_only_root_filesystem);
    v("runAsNonRoot", self.run_as_non_root);
    v("runAsUser", self.run_as_user);
    v("runAsGroup", self.run_as_group);
    v("seccompProfile", self.seccomp_profile);
  }
};

// Of a pod.
struct PodSecurityContext {
  std::optional<bool> run_as_non_root;
  std::optional<int64_t> run_as_user;
  std::optional<int64_t> run_as_group;
  std::optional<SeccompProfile> seccomp_profile;

  bool operator==(const PodSecurityContext&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("runAsNonRoot", self.run_as_non_root);
    v("runAsUser", self.run_as_user);
    v("runAsGroup", self.run_as_group);
    v("seccompProfile", self.seccomp_profile);
  }
};

}  // namespace korder::api
