#include "kube/testing/fake/json_value.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"

namespace korder::kube::fake {
namespace {

// The value that only its holder sees from now on.
template <class T>
T& Own(std::shared_ptr<T>& shared) {
  if (shared.use_count() > 1) {
    shared = std::make_shared<T>(*shared);
  }
  return *shared;
}

bool IsBefore(const Json::Member& member, std::string_view key) { return member.key < key; }

// Objects are small: the length tells most keys apart, without a look at their letters.
template <class Object>
auto FindIn(Object& members, std::string_view key) {
  return std::find_if(members.begin(), members.end(),
                      [key](const Json::Member& member) { return member.key == key; });
}

// Of a member that comes twice, the last one counts.
void Sort(Json::Object& members) {
  const auto in_order = [](const Json::Member& a, const Json::Member& b) { return a.key < b.key; };
  const auto out_of_order = [](const Json::Member& a, const Json::Member& b) {
    return a.key >= b.key;
  };
  if (std::adjacent_find(members.begin(), members.end(), out_of_order) == members.end()) {
    return;
  }
  std::stable_sort(members.begin(), members.end(), in_order);
  const auto first =
      std::unique(members.rbegin(), members.rend(),
                  [](const Json::Member& a, const Json::Member& b) { return a.key == b.key; });
  members.erase(members.begin(), first.base());
}

}  // namespace

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
  json.value_ = std::make_shared<Array>(std::move(elements));
  return json;
}

Json Json::EmptyObject() {
  Json json;
  json.value_ = std::make_shared<Object>();
  return json;
}

bool operator==(const Json& a, const Json& b) {
  if (a.value_.index() != b.value_.index()) {
    return false;
  }
  if (a.IsArray()) {
    return &a.array() == &b.array() || a.array() == b.array();
  }
  if (a.IsObject()) {
    return &a.object() == &b.object() || a.object() == b.object();
  }
  return a.value_ == b.value_;
}

bool Json::IsEmpty() const {
  return (IsString() && std::get<std::string>(value_).empty()) || (IsArray() && array().empty()) ||
         (IsObject() && object().empty());
}

const Json* Json::Find(std::string_view key) const {
  if (!IsObject()) {
    return nullptr;
  }
  const auto it = FindIn(object(), key);
  return it == object().end() ? nullptr : &it->value;
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

const std::string& Json::Text() const {
  static const std::string kNone;
  return IsString() ? std::get<std::string>(value_) : kNone;
}

const std::string& Json::TextAt(Path path) const {
  static const Json kNull;
  const Json* at = At(path);
  return (at == nullptr ? kNull : *at).Text();
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

Json::Array& Json::array() { return Own(std::get<Shared<Array>>(value_)); }
Json::Object& Json::object() { return Own(std::get<Shared<Object>>(value_)); }

Json& Json::operator[](std::string_view key) {
  if (!IsObject()) {
    value_ = std::make_shared<Object>();
  }
  Object& members = object();
  if (const auto it = FindIn(members, key); it != members.end()) {
    return it->value;
  }
  const auto at = std::lower_bound(members.begin(), members.end(), key, IsBefore);
  return members.insert(at, Member{std::string(key), Json()})->value;
}

const Json& Json::operator[](std::string_view key) const {
  static const Json kNull;
  const Json* member = Find(key);
  return member == nullptr ? kNull : *member;
}

void Json::Erase(std::string_view key) {
  if (Find(key) != nullptr) {
    Object& members = object();
    members.erase(FindIn(members, key));
  }
}

void Json::CopyMember(const Json& other, std::string_view key) {
  const Json* theirs = other.Find(key);
  if (theirs == nullptr) {
    return Erase(key);
  }
  if (const Json* mine = Find(key); mine != nullptr && *mine == *theirs) {
    return;
  }
  Json copy = *theirs;
  (*this)[key] = std::move(copy);
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
      out = Json::Of(std::move(elements));
      return;
    }
    case json::Kind::kObject: {
      Json::Object members;
      std::string_view key;
      for (r.BeginObject(); r.NextKey(key);) {
        members.push_back({std::string(key), Json()});
        ReadJson(r, members.back().value);
      }
      Sort(members);
      out.value_ = std::make_shared<Json::Object>(std::move(members));
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
