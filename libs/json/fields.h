// One description of a type's fields serves reading, writing and the comparison with the CRD
// schemas:
//
//   struct OrderSpec {
//     bool paused = false;
//     std::optional<int32_t> replicas;
//     template <class Self, class Visitor>
//     static void Fields(Self& self, Visitor& v) {
//       v("paused", self.paused);
//       v("replicas", self.replicas);
//     }
//   };
//   OrderSpec spec;
//   RETURN_IF_ERROR(json::Parse(std::move(text), spec));
//   std::string text = json::Print(spec);
//
// Reading: unknown fields are skipped, null counts as absent, absent fields keep their value.
// Writing: std::optional and Boxed without value, empty strings and empty containers are left out;
// everything else is written. A fixed member is described by v.Constant("kind", "Order"): written,
// not read. A type that is not an object in JSON has ReadJson(Reader&, T&) and WriteJson(Writer&,
// const T&), found by argument-dependent lookup, and may have IsEmptyJson(const T&) to be left out
// when empty.
#pragma once

#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "base/boxed.h"
#include "base/status.h"
#include "json/reader.h"
#include "json/writer.h"

namespace korder::json {

// Any JSON value, kept as text.
struct RawValue {
  std::string text;
  bool operator==(const RawValue&) const = default;
};

namespace internal {
struct NullVisitor {
  template <class T>
  void operator()(std::string_view, T&) {}
  void Constant(std::string_view, std::string_view) {}
};
}  // namespace internal

template <class T>
concept Described = requires(T& value, internal::NullVisitor& v) {
  T::Fields(value, v);
};

// --- reading ---

inline void ReadJson(Reader& r, bool& out) { out = r.Bool(); }
inline void ReadJson(Reader& r, int32_t& out) { out = r.Int32(); }
inline void ReadJson(Reader& r, int64_t& out) { out = r.Int64(); }
inline void ReadJson(Reader& r, double& out) { out = r.Double(); }
inline void ReadJson(Reader& r, std::string& out) { out = r.String(); }
inline void ReadJson(Reader& r, RawValue& out) { out.text = r.Raw(); }

template <Described T>
void ReadJson(Reader& r, T& out);
template <class T>
void ReadJson(Reader& r, std::vector<T>& out);
template <class T, class Compare>
void ReadJson(Reader& r, std::map<std::string, T, Compare>& out);

template <class T>
void ReadJson(Reader& r, std::optional<T>& out) {
  ReadJson(r, out.emplace());
}

template <class T>
void ReadJson(Reader& r, Boxed<T>& out) {
  ReadJson(r, out.emplace());
}

template <class T>
void ReadJson(Reader& r, std::vector<T>& out) {
  out.clear();
  for (r.BeginArray(); r.NextElement();) {
    ReadJson(r, out.emplace_back());
  }
  out.shrink_to_fit();  // What is read is mostly kept, and thousands of times.
}

template <class T, class Compare>
void ReadJson(Reader& r, std::map<std::string, T, Compare>& out) {
  out.clear();
  std::string_view key;
  for (r.BeginObject(); r.NextKey(key);) {
    if (r.Peek() == Kind::kNull) {
      r.Skip();
    } else {
      ReadJson(r, out[std::string(key)]);
    }
  }
}

namespace internal {
// Reads the one field whose name is `key`.
class FieldReader {
 public:
  FieldReader(Reader& reader, std::string_view key) : reader_(reader), key_(key) {}

  template <class T>
  void operator()(std::string_view name, T& member) {
    if (!taken_ && name == key_) {
      taken_ = true;
      ReadJson(reader_, member);
    }
  }
  void Constant(std::string_view, std::string_view) {}
  bool taken() const { return taken_; }

 private:
  Reader& reader_;
  std::string_view key_;
  bool taken_ = false;
};
}  // namespace internal

template <Described T>
void ReadJson(Reader& r, T& out) {
  std::string_view key;
  for (r.BeginObject(); r.NextKey(key);) {
    if (r.Peek() == Kind::kNull) {
      r.Skip();
      continue;
    }
    internal::FieldReader field(r, key);
    T::Fields(out, field);
    if (!field.taken()) {
      r.Skip();
    }
  }
}

// Reads one whole text into `out`.
template <class T>
absl::Status Parse(std::string text, T& out) {
  Reader reader(std::move(text));
  ReadJson(reader, out);
  return reader.Finish();
}

// --- writing ---

inline void WriteJson(Writer& w, bool value) { w.Bool(value); }
inline void WriteJson(Writer& w, int32_t value) { w.Int64(value); }
inline void WriteJson(Writer& w, int64_t value) { w.Int64(value); }
inline void WriteJson(Writer& w, double value) { w.Double(value); }
inline void WriteJson(Writer& w, const std::string& value) { w.String(value); }
inline void WriteJson(Writer& w, const RawValue& value) { w.Raw(value.text); }

template <Described T>
void WriteJson(Writer& w, const T& value);

template <class T>
bool IsEmptyJson(const T&) {
  return false;
}
inline bool IsEmptyJson(const std::string& value) { return value.empty(); }
inline bool IsEmptyJson(const RawValue& value) { return value.text.empty(); }
template <class T>
bool IsEmptyJson(const std::optional<T>& value) {
  return !value.has_value();
}
template <class T>
bool IsEmptyJson(const Boxed<T>& value) {
  return !value.has_value();
}
template <class T>
bool IsEmptyJson(const std::vector<T>& value) {
  return value.empty();
}
template <class T, class Compare>
bool IsEmptyJson(const std::map<std::string, T, Compare>& value) {
  return value.empty();
}

template <class T>
void WriteJson(Writer& w, const std::vector<T>& values);
template <class T, class Compare>
void WriteJson(Writer& w, const std::map<std::string, T, Compare>& values);

// REQUIRES: value.has_value().
template <class T>
void WriteJson(Writer& w, const std::optional<T>& value) {
  WriteJson(w, *value);
}

// REQUIRES: value.has_value().
template <class T>
void WriteJson(Writer& w, const Boxed<T>& value) {
  WriteJson(w, *value);
}

template <class T>
void WriteJson(Writer& w, const std::vector<T>& values) {
  w.BeginArray();
  for (const T& value : values) {
    WriteJson(w, value);
  }
  w.EndArray();
}

template <class T, class Compare>
void WriteJson(Writer& w, const std::map<std::string, T, Compare>& values) {
  w.BeginObject();
  for (const auto& [key, value] : values) {
    w.Key(key);
    WriteJson(w, value);
  }
  w.EndObject();
}

namespace internal {
class FieldWriter {
 public:
  explicit FieldWriter(Writer& writer) : writer_(writer) {}

  template <class T>
  void operator()(std::string_view name, const T& member) {
    if (!IsEmptyJson(member)) {
      writer_.Key(name);
      WriteJson(writer_, member);
    }
  }
  void Constant(std::string_view name, std::string_view value) {
    writer_.Key(name);
    writer_.String(value);
  }

 private:
  Writer& writer_;
};
}  // namespace internal

template <Described T>
void WriteJson(Writer& w, const T& value) {
  w.BeginObject();
  internal::FieldWriter field(w);
  T::Fields(value, field);
  w.EndObject();
}

template <class T>
std::string Print(const T& value) {
  Writer writer;
  WriteJson(writer, value);
  return writer.Take();
}

}  // namespace korder::json

namespace absl {
// RFC 3339, in UTC; whole seconds are written without a fraction, as Kubernetes' Time wants them.
// Found by argument-dependent lookup, hence in absl's namespace.
void ReadJson(korder::json::Reader& r, Time& out);
void WriteJson(korder::json::Writer& w, const Time& value);
}  // namespace absl
