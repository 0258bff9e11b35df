// A JSON value as a tree that can be changed: what a fake API server stores and patches.
//
//   Json pod;
//   RETURN_IF_ERROR(json::Parse(text, pod));
//   pod["metadata"]["labels"]["app"] = Json::String("web");
//   pod.TextAt({"metadata", "name"});   // "" when there is none
//   json::Print(pod);
//
// Compares by value; the order of members does not matter. For tests only: nothing here is fast.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "json/fields.h"

namespace korder::kube::fake {

class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::map<std::string, Json, std::less<>>;
  using Path = std::initializer_list<std::string_view>;

  Json() = default;  // null
  static Json Bool(bool value);
  static Json Int(int64_t value);
  static Json String(std::string_view value);
  static Json Of(Array elements);
  static Json Of(Object members);

  bool IsNull() const { return std::holds_alternative<std::monostate>(value_); }
  bool IsString() const { return std::holds_alternative<std::string>(value_); }
  bool IsArray() const { return std::holds_alternative<Array>(value_); }
  bool IsObject() const { return std::holds_alternative<Object>(value_); }
  // {} or [] or "".
  bool IsEmpty() const;

  // --- looking ---
  // The value at the end of the path; nullptr when there is none.
  const Json* Find(std::string_view key) const;
  const Json* At(Path path) const;
  // A string's text; "" for everything else and for what is not there.
  std::string Text() const;
  std::string TextAt(Path path) const;
  // A number's value; 0 for everything else and for what is not there.
  int64_t IntAt(Path path) const;
  // The elements at the path; none when it is no array.
  const Array& ArrayAt(Path path) const;
  const Object& ObjectAt(Path path) const;

  // --- changing ---
  // REQUIRES: IsArray() or IsObject(), respectively.
  Array& array() { return std::get<Array>(value_); }
  const Array& array() const { return std::get<Array>(value_); }
  Object& object() { return std::get<Object>(value_); }
  const Object& object() const { return std::get<Object>(value_); }
  // The member, made when it is not there; what is no object becomes one.
  Json& operator[](std::string_view key);
  // The member; null when it is not there.
  const Json& operator[](std::string_view key) const;
  void Erase(std::string_view key);
  // Makes member `key` equal to that of `other`, also in being absent.
  void CopyMember(const Json& other, std::string_view key);

  friend bool operator==(const Json& a, const Json& b) { return a.value_ == b.value_; }
  friend void ReadJson(json::Reader& r, Json& out);
  friend void WriteJson(json::Writer& w, const Json& value);

 private:
  // As written, so that no number loses a digit.
  struct Number {
    std::string text;
    bool operator==(const Number&) const = default;
  };

  std::variant<std::monostate, bool, Number, std::string, Array, Object> value_;
};

void ReadJson(json::Reader& r, Json& out);
void WriteJson(json::Writer& w, const Json& value);

}  // namespace korder::kube::fake
