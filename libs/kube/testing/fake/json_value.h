// A JSON value as a tree that can be changed: what a fake API server stores and patches.
//
//   Json pod;
//   RETURN_IF_ERROR(json::Parse(text, pod));
//   pod["metadata"]["labels"]["app"] = Json::String("web");
//   pod.TextAt({"metadata", "name"});   // "" when there is none
//   json::Print(pod);
//
// Compares by value; the order of members does not matter. Copies share their objects and arrays
// until one of them is changed, so a copy costs nothing much. A reference into a value that may be
// changed is good until that value is copied. For tests only.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "json/fields.h"

namespace korder::kube::fake {

class Json {
 public:
  struct Member;
  using Array = std::vector<Json>;
  using Object = std::vector<Member>;  // ordered by key
  using Path = std::initializer_list<std::string_view>;

  Json() = default;  // null
  static Json Bool(bool value);
  static Json Int(int64_t value);
  static Json String(std::string_view value);
  static Json Of(Array elements);
  static Json EmptyObject();

  bool IsNull() const { return std::holds_alternative<std::monostate>(value_); }
  bool IsString() const { return std::holds_alternative<std::string>(value_); }
  bool IsArray() const { return std::holds_alternative<Shared<Array>>(value_); }
  bool IsObject() const { return std::holds_alternative<Shared<Object>>(value_); }
  // {} or [] or "".
  bool IsEmpty() const;

  // --- looking ---
  // The value at the end of the path; nullptr when there is none.
  const Json* Find(std::string_view key) const;
  const Json* At(Path path) const;
  // A string's text; "" for everything else and for what is not there.
  const std::string& Text() const;
  const std::string& TextAt(Path path) const;
  // A number's value; 0 for everything else and for what is not there.
  int64_t IntAt(Path path) const;
  // The elements at the path; none when it is no array.
  const Array& ArrayAt(Path path) const;
  const Object& ObjectAt(Path path) const;
  // REQUIRES: IsArray() or IsObject(), respectively.
  const Array& array() const { return *std::get<Shared<Array>>(value_); }
  const Object& object() const { return *std::get<Shared<Object>>(value_); }

  // --- changing ---
  // REQUIRES: IsArray().
  Array& array();
  // The member, made when it is not there; what is no object becomes one.
  Json& operator[](std::string_view key);
  // The member; null when it is not there.
  const Json& operator[](std::string_view key) const;
  void Erase(std::string_view key);
  // Makes member `key` equal to that of `other`, also in being absent.
  void CopyMember(const Json& other, std::string_view key);

  friend bool operator==(const Json& a, const Json& b);
  friend void ReadJson(json::Reader& r, Json& out);
  friend void WriteJson(json::Writer& w, const Json& value);

 private:
  // As written, so that no number loses a digit.
  struct Number {
    std::string text;
    bool operator==(const Number&) const = default;
  };
  template <class T>
  using Shared = std::shared_ptr<T>;

  Object& object();

  std::variant<std::monostate, bool, Number, std::string, Shared<Array>, Shared<Object>> value_;
};

struct Json::Member {
  std::string key;
  Json value;
  bool operator==(const Member&) const = default;
};

bool operator==(const Json& a, const Json& b);
void ReadJson(json::Reader& r, Json& out);
void WriteJson(json::Writer& w, const Json& value);

}  // namespace korder::kube::fake
