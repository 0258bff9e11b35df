#include "json/writer.h"

#include <rapidjson/writer.h>
#include <utility>

namespace korder::json {
namespace {

// RapidJSON's output stream concept over std::string, so that Take() moves instead of copying.
struct StringStream {
  using Ch = char;
  std::string text;
  void Put(char c) { text.push_back(c); }
  void Flush() {}
};

rapidjson::SizeType Length(std::string_view text) {
  return static_cast<rapidjson::SizeType>(text.size());
}

// A view may have no data pointer; RapidJSON asserts on null.
const char* Data(std::string_view text) { return text.data() == nullptr ? "" : text.data(); }

}  // namespace

struct Writer::Impl {
  StringStream stream;
  rapidjson::Writer<StringStream> writer{stream};
};

Writer::Writer() : impl_(std::make_unique<Impl>()) {}
Writer::~Writer() = default;

void Writer::Null() { impl_->writer.Null(); }
void Writer::Bool(bool value) { impl_->writer.Bool(value); }
void Writer::Int64(int64_t value) { impl_->writer.Int64(value); }
void Writer::Uint64(uint64_t value) { impl_->writer.Uint64(value); }
void Writer::Double(double value) { impl_->writer.Double(value); }
void Writer::String(std::string_view value) { impl_->writer.String(Data(value), Length(value)); }
void Writer::Raw(std::string_view json) {
  impl_->writer.RawValue(Data(json), json.size(), rapidjson::kObjectType);
}
void Writer::Key(std::string_view key) { impl_->writer.Key(Data(key), Length(key)); }
void Writer::BeginObject() { impl_->writer.StartObject(); }
void Writer::EndObject() { impl_->writer.EndObject(); }
void Writer::BeginArray() { impl_->writer.StartArray(); }
void Writer::EndArray() { impl_->writer.EndArray(); }

std::string Writer::Take() {
  std::string text = std::move(impl_->stream.text);
  impl_->stream.text.clear();
  impl_->writer.Reset(impl_->stream);
  return text;
}

}  // namespace korder::json
