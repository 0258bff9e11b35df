// A value that may be written as a number or as a string (20, "20", "40Gi"); kept as text.
#pragma once

#include <string>

#include "json/reader.h"
#include "json/writer.h"

namespace korder::api {

struct NumberOrString {
  std::string text;

  bool operator==(const NumberOrString&) const = default;
  friend bool IsEmptyJson(const NumberOrString& value) { return value.text.empty(); }
};

inline void ReadJson(json::Reader& r, NumberOrString& out) { out.text = r.NumberOrString(); }
inline void WriteJson(json::Writer& w, const NumberOrString& value) { w.String(value.text); }

}  // namespace korder::api
