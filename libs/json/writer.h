// Writes compact JSON text. The caller keeps the order (key, value, key, value...) and closes what
// it opens; most types are written through json/fields.h instead.
//
//   json::Writer w;
//   w.BeginObject(); w.Key("replicas"); w.Int64(3); w.EndObject();
//   std::string text = w.Take();
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace korder::json {

class Writer {
 public:
  Writer();
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void Null();
  void Bool(bool value);
  void Int64(int64_t value);
  void Uint64(uint64_t value);
  void Double(double value);
  void String(std::string_view value);
  // Puts text that is JSON already. REQUIRES: `json` is one valid value.
  void Raw(std::string_view json);
  void Key(std::string_view key);
  void BeginObject();
  void EndObject();
  void BeginArray();
  void EndArray();

  // The text so far; the writer is empty afterwards.
  std::string Take();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace korder::json
