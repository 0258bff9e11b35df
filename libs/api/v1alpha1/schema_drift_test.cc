// The CRDs and the C++ types describe the same objects: every field of the schemas is known to the
// types and the other way round, with the same kind, the same default and, for enums, the same
// values.
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <yaml-cpp/yaml.h>

#include "api/testing/shape.h"
#include "api/v1alpha1/claim_policy.h"
#include "api/v1alpha1/order.h"
#include "api/v1alpha1/quota.h"
#include "api/v1alpha1/ticket.h"

namespace korder::api {
namespace {

using Kind = Shape::Kind;
using Differences = std::vector<std::string>;

std::string NameOf(Kind kind) {
  static const std::map<Kind, std::string> names = {{Kind::kString, "string"},
                                                    {Kind::kTime, "date-time"},
                                                    {Kind::kBoolean, "boolean"},
                                                    {Kind::kInt32, "int32"},
                                                    {Kind::kInt64, "int64"},
                                                    {Kind::kIntOrString, "int-or-string"},
                                                    {Kind::kNumberOrString, "number-or-string"},
                                                    {Kind::kArray, "array"},
                                                    {Kind::kMap, "map"},
                                                    {Kind::kObject, "object"}};
  return names.at(kind);
}

std::string Text(const YAML::Node& schema, const char* key) {
  return schema[key] ? schema[key].as<std::string>() : "";
}

bool IsTrue(const YAML::Node& schema, const char* key) {
  return schema[key] && schema[key].as<bool>();
}

// The kind that a schema states, in the words of NameOf.
std::string KindOf(const YAML::Node& schema) {
  const std::string type = Text(schema, "type");
  const std::string format = Text(schema, "format");
  if (IsTrue(schema, "x-kubernetes-int-or-string")) {
    return "int-or-string";
  }
  if (type.empty() && IsTrue(schema, "x-kubernetes-preserve-unknown-fields")) {
    return "number-or-string";  // a schema can say it only by refusing everything else
  }
  if (type == "string" && format == "date-time") {
    return format;
  }
  if (type == "integer") {
    return format;
  }
  if (type == "object" && schema["additionalProperties"]) {
    return "map";
  }
  return type;
}

bool KindsAgree(const std::string& schema, Kind type) {
  // What takes any number or string reads an int-or-string, too.
  return schema == NameOf(type) || (type == Kind::kNumberOrString && schema == "int-or-string");
}

void Compare(const std::string& path, const YAML::Node& schema, const Shape& shape,
             Differences& found);

void CompareFields(const std::string& path, const YAML::Node& schema, const Shape& shape,
                   Differences& found) {
  std::set<std::string> in_schema;
  for (const auto& property : schema["properties"]) {
    const auto name = property.first.as<std::string>();
    in_schema.insert(name);
    const auto field = shape.fields.find(name);
    if (field == shape.fields.end()) {
      found.push_back(path + "." + name + ": only in the schema");
    } else {
      Compare(path + "." + name, property.second, field->second, found);
    }
  }
  for (const auto& [name, field] : shape.fields) {
    if (!in_schema.contains(name)) {
      found.push_back(path + "." + name + ": only in the C++ type");
    }
  }
}

void CompareChoices(const std::string& path, const YAML::Node& schema, const Shape& shape,
                    Differences& found) {
  // Operators and effects are plain strings in C++: the schema may be the narrower one.
  if (shape.choices.empty()) {
    return;
  }
  std::set<std::string> in_schema;
  for (const auto& choice : schema["enum"]) {
    in_schema.insert(choice.as<std::string>());
  }
  if (in_schema != std::set<std::string>(shape.choices.begin(), shape.choices.end())) {
    found.push_back(path + ": the enum values differ");
  }
}

// Defaults of numbers, strings and booleans. Those of objects repeat the ones inside them.
void CompareDefault(const std::string& path, const YAML::Node& schema, const Shape& shape,
                    Differences& found) {
  const std::string stated = Text(schema, "default");
  if (schema["default"] && stated != shape.initial && "\"" + stated + "\"" != shape.initial) {
    found.push_back(path + ": default " + stated + " in the schema, " +
                    (shape.initial.empty() ? "none" : shape.initial) + " in the C++ type");
  }
}

void Compare(const std::string& path, const YAML::Node& schema, const Shape& shape,
             Differences& found) {
  const std::string kind = KindOf(schema);
  if (!KindsAgree(kind, shape.kind)) {
    found.push_back(path + ": " + (kind.empty() ? "nothing" : kind) + " in the schema, " +
                    NameOf(shape.kind) + " in the C++ type");
    return;
  }
  if (shape.kind == Kind::kObject) {
    CompareFields(path, schema, shape, found);
  } else if (shape.kind == Kind::kArray) {
    Compare(path + "[]", schema["items"], shape.element[0], found);
  } else if (shape.kind == Kind::kMap) {
    Compare(path + "{}", schema["additionalProperties"], shape.element[0], found);
  } else {
    CompareChoices(path, schema, shape, found);
    CompareDefault(path, schema, shape, found);
  }
}

// What spec and status of one CRD are, and what the C++ type makes of them.
template <class T>
Differences Drift(const YAML::Node& crd) {
  Differences found;
  const YAML::Node names = crd["spec"]["names"];
  if (Text(names, "kind") != T::kResource.kind || Text(names, "plural") != T::kResource.plural ||
      Text(crd["spec"], "group") != T::kResource.group ||
      (Text(crd["spec"], "scope") == "Namespaced") != T::kResource.namespaced) {
    found.push_back("the resource itself differs");
  }
  const YAML::Node version = crd["spec"]["versions"][0];
  if (Text(version, "name") != T::kResource.version) {
    found.push_back("the version differs");
  }
  const YAML::Node properties = version["schema"]["openAPIV3Schema"]["properties"];
  const Shape shape = ShapeOf<T>();
  Compare("spec", properties["spec"], shape.fields.at("spec"), found);
  Compare("status", properties["status"], shape.fields.at("status"), found);
  return found;
}

YAML::Node LoadCrd(const std::string& plural) {
  return YAML::LoadFile(std::string(KORDER_CRD_DIR) + "/" + plural + ".yaml");
}

TEST_CASE("schema: Order and its CRD describe the same fields", "[schema]") {
  CHECK(Drift<Order>(LoadCrd("orders")) == Differences{});
}

TEST_CASE("schema: Ticket and its CRD describe the same fields", "[schema]") {
  CHECK(Drift<Ticket>(LoadCrd("tickets")) == Differences{});
}

TEST_CASE("schema: Quota and its CRD describe the same fields", "[schema]") {
  CHECK(Drift<Quota>(LoadCrd("quotas")) == Differences{});
}

TEST_CASE("schema: ClaimPolicy and its CRD describe the same fields", "[schema]") {
  CHECK(Drift<ClaimPolicy>(LoadCrd("claimpolicies")) == Differences{});
}

// The properties of the schema at `path`, for the tests that spoil one.
YAML::Node At(const YAML::Node& crd, std::initializer_list<const char*> path) {
  YAML::Node node = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
  for (const char* step : path) {
    node.reset(node[step]);
  }
  return node;
}

TEST_CASE("schema: every kind of drift is found", "[schema]") {
  YAML::Node crd = LoadCrd("orders");
  YAML::Node spec = At(crd, {"properties", "spec", "properties"});
  SECTION("a field that only the schema has") {
    spec["budget"]["type"] = "integer";
    CHECK(Drift<Order>(crd) == Differences{"spec.budget: only in the schema"});
  }
  SECTION("a field that only the type has") {
    spec.remove("paused");
    CHECK(Drift<Order>(crd) == Differences{"spec.paused: only in the C++ type"});
  }
  SECTION("another kind") {
    spec["replicas"]["type"] = "string";
    CHECK(Drift<Order>(crd) ==
          Differences{"spec.replicas: string in the schema, int32 in the C++ type"});
  }
  SECTION("another width of integer") {
    spec["replicas"]["format"] = "int64";
    CHECK(Drift<Order>(crd) ==
          Differences{"spec.replicas: int64 in the schema, int32 in the C++ type"});
  }
  SECTION("a value of an enum") {
    spec["strategy"]["properties"]["type"]["enum"].push_back("Daily");
    CHECK(Drift<Order>(crd) == Differences{"spec.strategy.type: the enum values differ"});
  }
  SECTION("a default") {
    spec["replicas"]["default"] = 2;
    CHECK(Drift<Order>(crd) ==
          Differences{"spec.replicas: default 2 in the schema, 1 in the C++ type"});
  }
  SECTION("a default of a string") {
    spec["strategy"]["properties"]["refreshPolicy"]["default"] = "Always";
    CHECK(Drift<Order>(crd) == Differences{"spec.strategy.refreshPolicy: default Always in the "
                                           "schema, \"OnClaim\" in the C++ type"});
  }
  SECTION("a time that is a plain string") {
    At(crd, {"properties", "status", "properties", "lastScheduleTime"}).remove("format");
    CHECK(Drift<Order>(crd) ==
          Differences{"status.lastScheduleTime: string in the schema, date-time in the C++ type"});
  }
  SECTION("something deep inside lists") {
    YAML::Node toleration = At(crd, {"properties", "spec", "properties", "template", "properties",
                                     "spec", "properties", "tolerations", "items", "properties"});
    toleration.remove("effect");
    CHECK(Drift<Order>(crd) ==
          Differences{"spec.template.spec.tolerations[].effect: only in the C++ type"});
  }
  SECTION("what the values of a map are") {
    At(crd, {"properties", "spec", "properties", "template", "properties", "spec", "properties",
             "resources", "properties", "requests", "additionalProperties"})
        .remove("x-kubernetes-int-or-string");
    CHECK(Drift<Order>(crd) ==
          Differences{"spec.template.spec.resources.requests{}: nothing in the schema, "
                      "int-or-string in the C++ type"});
  }
  SECTION("the resource's own name") {
    crd["spec"]["names"]["plural"] = "reservations";
    CHECK(Drift<Order>(crd) == Differences{"the resource itself differs"});
  }
}

}  // namespace
}  // namespace korder::api
