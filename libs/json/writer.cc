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

constexpr bool IsPlain(char c) {
  return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\';
}

void AppendEscaped(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  out += '\\';
  switch (c) {
    case '"':
    case '\\':
      out += c;
      return;
    case '\b':
      out += 'b';
      return;
    case '\f':
      out += 'f';
      return;
    case '\n':
      out += 'n';
      return;
    case '\r':
      out += 'r';
      return;
    case '\t':
      out += 't';
      return;
    default:
      out += "u00";
      out += kHex[static_cast<unsigned char>(c) >> 4];
      out += kHex[static_cast<unsigned char>(c) & 0xF];
  }
}

// RapidJSON's writer with texts that are copied in runs: hardly anything in an object of Kubernetes
// needs an escape.
class TextWriter : public rapidjson::Writer<StringStream> {
 public:
  using rapidjson::Writer<StringStream>::Writer;

  void Text(std::string_view text) {
    Prefix(rapidjson::kStringType);
    std::string& out = os_->text;
    out += '"';
    size_t done = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      if (!IsPlain(text[i])) {
        out.append(text, done, i - done);
        AppendEscaped(out, text[i]);
        done = i + 1;
      }
    }
    out.append(text, done);
    out += '"';
    EndValue(true);
  }
  void Value(std::string_view json) {
    Prefix(rapidjson::kObjectType);
    os_->text.append(json);
    EndValue(true);
  }
};

}  // namespace

struct Writer::Impl {
  StringStream stream;
  TextWriter writer{stream};
};

Writer::Writer() : impl_(std::make_unique<Impl>()) {}
Writer::~Writer() = default;

void Writer::Null() { impl_->writer.Null(); }
void Writer::Bool(bool value) { impl_->writer.Bool(value); }
void Writer::Int64(int64_t value) { impl_->writer.Int64(value); }
void Writer::Uint64(uint64_t value) { impl_->writer.Uint64(value); }
void Writer::Double(double value) { impl_->writer.Double(value); }
void Writer::String(std::string_view value) { impl_->writer.Text(value); }
void Writer::Raw(std::string_view json) { impl_->writer.Value(json); }
void Writer::Key(std::string_view key) { impl_->writer.Text(key); }
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
