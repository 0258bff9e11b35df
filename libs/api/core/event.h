// An Event (core/v1): what `kubectl describe` lists under an object.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "api/meta/micro_time.h"
#include "api/meta/object_meta.h"
#include "api/meta/resource_type.h"
#include "json/fields.h"

namespace korder::api {

struct ObjectReference {
  std::string api_version;
  std::string kind;
  std::string ns;
  std::string name;
  std::string uid;
  std::string resource_version;
  std::string field_path;

  bool operator==(const ObjectReference&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("apiVersion", self.api_version);
    v("kind", self.kind);
    v("namespace", self.ns);
    v("name", self.name);
    v("uid", self.uid);
    v("resourceVersion", self.resource_version);
    v("fieldPath", self.field_path);
  }
};

struct EventSource {
  std::string component;
  std::string host;

  bool operator==(const EventSource&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("component", self.component);
    v("host", self.host);
  }
};

struct Event {
  static constexpr ResourceType kResource{
      .group = "", .version = "v1", .plural = "events", .kind = "Event"};

  ObjectMeta metadata;
  ObjectReference involved_object;
  std::string reason;
  std::string message;
  std::string type;  // "Normal" or "Warning"
  int32_t count = 1;
  std::optional<absl::Time> first_timestamp;
  std::optional<absl::Time> last_timestamp;
  std::optional<MicroTime> event_time;  // instead of the other two, in Events of the newer kind
  EventSource source;
  std::string reporting_component;
  std::string reporting_instance;

  bool operator==(const Event&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v.Constant("apiVersion", "v1");
    v.Constant("kind", kResource.kind);
    v("metadata", self.metadata);
    v("involvedObject", self.involved_object);
    v("reason", self.reason);
    v("message", self.message);
    v("type", self.type);
    v("count", self.count);
    v("firstTimestamp", self.first_timestamp);
    v("lastTimestamp", self.last_timestamp);
    v("eventTime", self.event_time);
    v("source", self.source);
    v("reportingComponent", self.reporting_component);
    v("reportingInstance", self.reporting_instance);
  }
};

}  // namespace korder::api
