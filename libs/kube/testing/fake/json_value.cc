#include "kube/testing/fake/json_value.h"

#include <utility>

#include "absl/strings/numbers.h"

namespace korder::kube::fake {

Json Json::Bool(bool value) {
  Json json;
  json.value_ = value;
  return json;
}

Json Json::Int(int64_t value) {
  Json json;
  json.value_ = Number{std::to_string(value)};
  return json;
}

Json Json::String(std::string_view value) {
  Json json;
  json.value_ = std::string(value);
  return json;
}

Json Json::Of(Array elements) {
  Json json;
  json.value_ = std::move(elements);
  return json;
}

Json Json::Of(Object members) {
  Json json;
  json.value_ = std::move(members);
  return json;
}

bool Json::IsEmpty() const {
  return (IsString() && std::get<std::string>(value_).empty()) || (IsArray() && array().empty()) ||
         (IsObject() && object().empty());
}

const Json* Json::Find(std::string_view key) const {
  if (!IsObject()) {
    return nullptr;
  }
  const auto it = object().find(key);
  return it == object().end() ? nullptr : &it->second;
}

const Json* Json::At(Path path) const {
  const Json* at = this;
  for (const std::string_view key : path) {
    at = at->Find(key);
    if (at == nullptr) {
      return nullptr;
    }
  }
  return at;
}

std::string Json::Text() const { return IsString() ? std::get<std::string>(value_) : ""; }

std::string Json::TextAt(Path path) const {
  const Json* at = At(path);
  return at == nullptr ? "" : at->Text();
}

int64_t Json::IntAt(Path path) const {
  const Json* at = At(path);
  int64_t number = 0;
  if (at != nullptr && std::holds_alternative<Number>(at->value_) &&
      !absl::SimpleAtoi(std::get<Number>(at->value_).text, &number)) {
    return 0;
  }
  return number;
}

const Json::Array& Json::ArrayAt(Path path) const {
  static const Array kNone;
  const Json* at = At(path);
  return at != nullptr && at->IsArray() ? at->array() : kNone;
}

const Json::Object& Json::ObjectAt(Path path) const {
  static const Object kNone;
  const Json* at = At(path);
  return at != nullptr && at->IsObject() ? at->object() : kNone;
}

Json& Json::operator[](std::string_view key) {
  if (!IsObject()) {
    value_ = Object();
  }
  const auto it = object().find(key);
  return it != object().end() ? it->second : object()[std::string(key)];
}

const Json& Json::operator[](std::string_view key) const {
  static const Json kNull;
  const Json* member = Find(key);
  return member == nullptr ? kNull : *member;
}

void Json::Erase(std::string_view key) {
  if (IsObject()) {
    if (const auto it = object().find(key); it != object().end()) {
      object().erase(it);
    }
  }
}

void Json::CopyMember(const Json& other, std::string_view key) {
  if (const Json* theirs = other.Find(key); theirs != nullptr) {
    Json copy = *theirs;
    (*this)[key] = std::move(copy);
  } else {
    Erase(key);
  }
}

void ReadJson(json::Reader& r, Json& out) {
  switch (r.Peek()) {
    case json::Kind::kBool:
      out.value_ = r.Bool();
      return;
    case json::Kind::kNumber:
      out.value_ = Json::Number{r.Raw()};
      return;
    case json::Kind::kString:
      out.value_ = std::string(r.String());
      return;
    case json::Kind::kArray: {
      Json::Array elements;
      for (r.BeginArray(); r.NextElement();) {
        ReadJson(r, elements.emplace_back());
      }
      out.value_ = std::move(elements);
      return;
    }
    case json::Kind::kObject: {
      Json::Object members;
      std::string_view key;
      for (r.BeginObject(); r.NextKey(key);) {
        ReadJson(r, members[std::string(key)]);
      }
      out.value_ = std::move(members);
      return;
    }
    case json::Kind::kNull:
    case json::Kind::kEnd:
      out.value_ = std::monostate();
      r.Skip();
      return;
  }
}

void WriteJson(json::Writer& w, const Json& value) {
  if (value.IsObject()) {
    w.BeginObject();
    for (const auto& [key, member] : value.object()) {
      w.Key(key);
      WriteJson(w, member);
    }
    w.EndObject();
  } else if (value.IsArray()) {
    w.BeginArray();
    for (const Json& element : value.array()) {
      WriteJson(w, element);
    }
    w.EndArray();
  } else if (value.IsString()) {
    w.String(std::get<std::string>(value.value_));
  } else if (const auto* number = std::get_if<Json::Number>(&value.value_)) {
    w.Raw(number->text);
  } else if (const auto* boolean = std::get_if<bool>(&value.value_)) {
    w.Bool(*boolean);
  } else {
    w.Null();
  }
}

}  // namespace korder::kube::fake
