// The shape of a described type as data: which fields it has and of which kind. The schema drift
// test compares it with the CRDs.
//
//   const Shape shape = ShapeOf<OrderSpec>();
//   shape.fields.at("replicas").kind;   // Shape::Kind::kInt32
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "api/meta/enum_names.h"
#include "api/v1alpha1/duration_field.h"
#include "api/v1alpha1/number_or_string.h"
#include "api/value/quantity.h"
#include "json/fields.h"

namespace korder::api {

struct Shape {
  enum class Kind {
    kString,
    kTime,
    kBoolean,
    kInt32,
    kInt64,
    kIntOrString,
    kNumberOrString,
    kArray,
    kMap,
    kObject
  };

  Kind kind = Kind::kString;
  std::vector<std::string> choices;     // of an enum
  std::string initial;                  // JSON of the value a field has when nothing is read
  std::map<std::string, Shape> fields;  // of an object
  std::vector<Shape> element;           // of an array or map: exactly one
};

template <class T>
Shape ShapeOf();

namespace internal {

class ShapeVisitor {
 public:
  explicit ShapeVisitor(Shape& shape) : shape_(shape) {}

  template <class T>
  void operator()(std::string_view name, T& member) {
    using json::IsEmptyJson;
    Shape field = ShapeOf<T>();
    if (!IsEmptyJson(member)) {
      field.initial = json::Print(member);
    }
    shape_.fields.emplace(name, std::move(field));
  }
  void Constant(std::string_view name, std::string_view) { shape_.fields.emplace(name, Shape{}); }

 private:
  Shape& shape_;
};

template <class T>
struct Shaper;  // A type without a shape of its own does not compile here: give it one.

#define KORDER_LEAF_SHAPE(type, kind_name)                           \
  template <>                                                        \
  struct Shaper<type> {                                              \
    static Shape Make() { return {.kind = Shape::Kind::kind_name}; } \
  }
KORDER_LEAF_SHAPE(std::string, kString);
KORDER_LEAF_SHAPE(DurationField, kString);
KORDER_LEAF_SHAPE(absl::Time, kTime);
KORDER_LEAF_SHAPE(bool, kBoolean);
KORDER_LEAF_SHAPE(int32_t, kInt32);
KORDER_LEAF_SHAPE(int64_t, kInt64);
KORDER_LEAF_SHAPE(Quantity, kIntOrString);
KORDER_LEAF_SHAPE(NumberOrString, kNumberOrString);
#undef KORDER_LEAF_SHAPE

template <NamedEnum T>
struct Shaper<T> {
  static Shape Make() {
    const auto names = EnumNames(T{});
    return {.kind = Shape::Kind::kString, .choices = {names.begin(), names.end()}};
  }
};

template <class T>
struct Shaper<std::optional<T>> {
  static Shape Make() { return ShapeOf<T>(); }
};

template <class T>
struct Shaper<Boxed<T>> {
  static Shape Make() { return ShapeOf<T>(); }
};

template <class T>
struct Shaper<std::vector<T>> {
  static Shape Make() { return {.kind = Shape::Kind::kArray, .element = {ShapeOf<T>()}}; }
};

template <class T>
struct Shaper<std::map<std::string, T, std::less<>>> {
  static Shape Make() { return {.kind = Shape::Kind::kMap, .element = {ShapeOf<T>()}}; }
};

template <json::Described T>
struct Shaper<T> {
  static Shape Make() {
    Shape shape{.kind = Shape::Kind::kObject};
    T value;
    ShapeVisitor visitor(shape);
    T::Fields(value, visitor);
    return shape;
  }
};

}  // namespace internal

template <class T>
Shape ShapeOf() {
  return internal::Shaper<T>::Make();
}

}  // namespace korder::api
