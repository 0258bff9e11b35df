// A pull reader for JSON text: asks for one value after the other, skips what nobody asks for, and
// knows where it is, so that an error reads `spec.tickets[3].name: expected a string, got a
// number`.
//
//   json::Reader r(std::move(body));
//   std::string_view key;
//   for (r.BeginObject(); r.NextKey(key);) {
//     if (key == "replicas") { replicas = r.Int64(); } else { r.Skip(); }
//   }
//   RETURN_IF_ERROR(r.Finish());
//
// Most types are read through json/fields.h instead. The first error sticks: everything after it is
// a no-op that returns an empty value, so callers check once, at the end. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

namespace korder::json {

enum class Kind { kNull, kBool, kNumber, kString, kObject, kArray, kEnd };

// "a number", "an object" ... for messages.
std::string_view KindName(Kind kind);

class Reader {
 public:
  // Takes the text and parses it in place, so string values cost no copy until they are kept.
  explicit Reader(std::string text);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // What comes next: a value, or kEnd at the end of the text, an object or an array, or on error.
  Kind Peek() const;

  bool Bool();
  // Fails when the number has a fraction or does not fit 64 bits.
  int64_t Int64();
  // As Int64, and fails when the number does not fit 32 bits.
  int32_t Int32();
  double Double();
  // Valid as long as the reader lives.
  std::string_view String();
  // The text of a number or string, for int-or-string values: 2 -> "2", "500m" -> "500m".
  std::string NumberOrString();
  // The next value, whatever it is, as compact JSON text.
  std::string Raw();
  // Passes over the next value.
  void Skip();

  // An object: BeginObject(), then NextKey() until false; each key's value must be read or skipped.
  void BeginObject();
  bool NextKey(std::string_view& key);
  // An array: BeginArray(), then NextElement() until false; each element must be read or skipped.
  void BeginArray();
  bool NextElement();

  // Records an error at the present place (unless one is there already).
  void Fail(std::string_view message);
  bool ok() const { return status_.ok(); }
  // `spec.strategy.type`; empty at the top.
  std::string Path() const;
  // OK when the whole text was read without error.
  absl::Status Finish();

 private:
  struct Impl;
  bool Expect(Kind kind);
  void Advance();

  std::unique_ptr<Impl> impl_;
  absl::Status status_;
};

}  // namespace korder::json
