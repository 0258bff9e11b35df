#include "json/reader.h"

#include <cstring>
#include <limits>
#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "json/writer.h"

namespace korder::json {
namespace {

constexpr unsigned kFlags = rapidjson::kParseInsituFlag | rapidjson::kParseFullPrecisionFlag;
constexpr unsigned kValidatingFlags = kFlags | rapidjson::kParseValidateEncodingFlag;
// Deeper nesting than any Kubernetes object has; bounds the stack a hostile text can take.
constexpr size_t kMaxDepth = 128;
constexpr size_t kUsualDepth = 12;

// One token of the text. The whole text is parsed once into a flat tape of these; reading walks the
// tape, and passing over an object or array is one jump.
struct Token {
  enum class Type : uint8_t {
    kNull,
    kBool,
    kInt,
    kUint,
    kDouble,
    kString,
    kKey,
    kBeginObject,
    kEndObject,
    kBeginArray,
    kEndArray,
    kEnd
  };
  Type type = Type::kEnd;
  // The length of a string or key; for a begin token the tape index of its end token.
  uint32_t length = 0;
  union {
    const char* text = nullptr;
    bool boolean;
    int64_t integer;
    uint64_t unsigned_integer;
    double number;
  };
  std::string_view Text() const { return {text, length}; }
};

// Receives RapidJSON's events and fills the tape.
class TapeBuilder {
 public:
  explicit TapeBuilder(std::vector<Token>& tape) : tape_(tape) { open_.reserve(kUsualDepth); }

  bool Null() {
    Add(Token::Type::kNull);
    return true;
  }
  bool Bool(bool value) {
    Add(Token::Type::kBool).boolean = value;
    return true;
  }
  bool Int(int value) { return Int64(value); }
  bool Uint(unsigned value) { return Int64(static_cast<int64_t>(value)); }
  bool Int64(int64_t value) {
    Add(Token::Type::kInt).integer = value;
    return true;
  }
  bool Uint64(uint64_t value) {
    if (value <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return Int64(static_cast<int64_t>(value));
    }
    Add(Token::Type::kUint).unsigned_integer = value;
    return true;
  }
  bool Double(double value) {
    Add(Token::Type::kDouble).number = value;
    return true;
  }
  bool RawNumber(const char*, rapidjson::SizeType, bool) { return false; }
  bool String(const char* text, rapidjson::SizeType length, bool) {
    return AddText(Token::Type::kString, text, length);
  }
  bool Key(const char* text, rapidjson::SizeType length, bool) {
    return AddText(Token::Type::kKey, text, length);
  }
  bool StartObject() { return Begin(Token::Type::kBeginObject); }
  bool EndObject(rapidjson::SizeType) { return End(Token::Type::kEndObject); }
  bool StartArray() { return Begin(Token::Type::kBeginArray); }
  bool EndArray(rapidjson::SizeType) { return End(Token::Type::kEndArray); }

 private:
  Token& Add(Token::Type type) {
    Token& token = tape_.emplace_back();
    token.type = type;
    return token;
  }
  bool AddText(Token::Type type, const char* text, uint32_t length) {
    Token& token = Add(type);
    token.text = text;
    token.length = length;
    return true;
  }
  bool Begin(Token::Type type) {
    open_.push_back(static_cast<uint32_t>(tape_.size()));
    Add(type);
    return open_.size() <= kMaxDepth;
  }
  bool End(Token::Type type) {
    tape_[open_.back()].length = static_cast<uint32_t>(tape_.size());
    open_.pop_back();
    Add(type);
    return true;
  }

  std::vector<Token>& tape_;
  std::vector<uint32_t> open_;
};

// What is ASCII throughout, as nearly every object is, needs no validation of its encoding: that
// looks at one character after the other, this at eight. (An escape in it cannot make bad UTF-8:
// the parser checks surrogates always.)
bool IsAscii(std::string_view text) {
  constexpr uint64_t kHighBits = 0x8080808080808080;
  uint64_t seen = 0;
  size_t i = 0;
  for (; i + sizeof(uint64_t) <= text.size(); i += sizeof(uint64_t)) {
    uint64_t eight = 0;
    std::memcpy(&eight, text.data() + i, sizeof(eight));
    seen |= eight;
  }
  for (; i < text.size(); ++i) {
    seen |= static_cast<unsigned char>(text[i]);
  }
  return (seen & kHighBits) == 0;
}

// Where we are: in an object at a key, or in an array at an index.
struct Frame {
  bool array = false;
  int64_t index = -1;
  std::string_view key;
};

Kind KindOf(Token::Type type) {
  switch (type) {
    case Token::Type::kNull:
      return Kind::kNull;
    case Token::Type::kBool:
      return Kind::kBool;
    case Token::Type::kInt:
    case Token::Type::kUint:
    case Token::Type::kDouble:
      return Kind::kNumber;
    case Token::Type::kString:
      return Kind::kString;
    case Token::Type::kBeginObject:
      return Kind::kObject;
    case Token::Type::kBeginArray:
      return Kind::kArray;
    case Token::Type::kKey:
    case Token::Type::kEndObject:
    case Token::Type::kEndArray:
    case Token::Type::kEnd:
      return Kind::kEnd;
  }
  return Kind::kEnd;
}

}  // namespace

std::string_view KindName(Kind kind) {
  switch (kind) {
    case Kind::kNull:
      return "null";
    case Kind::kBool:
      return "a boolean";
    case Kind::kNumber:
      return "a number";
    case Kind::kString:
      return "a string";
    case Kind::kObject:
      return "an object";
    case Kind::kArray:
      return "an array";
    case Kind::kEnd:
      return "nothing";
  }
  return "nothing";
}

struct Reader::Impl {
  explicit Impl(std::string t) : text(std::move(t)) { frames.reserve(kUsualDepth); }
  const Token& token() const { return tape[next]; }

  std::string text;
  std::vector<Token> tape;
  size_t next = 0;
  std::vector<Frame> frames;
};

Reader::Reader(std::string text) : impl_(std::make_unique<Impl>(std::move(text))) {
  // A token stands for about eight bytes of Kubernetes JSON: one allocation for most texts.
  impl_->tape.reserve(impl_->text.size() / 8 + 8);
  const bool ascii = IsAscii(impl_->text);
  TapeBuilder builder(impl_->tape);
  if (!ascii) {  // The check of a character that is cut off at the end reads up to three bytes on.
    impl_->text.append(4, '\0');
  }
  rapidjson::InsituStringStream stream(impl_->text.data());
  rapidjson::Reader parser;
  const rapidjson::ParseResult result = ascii ? parser.Parse<kFlags>(stream, builder)
                                              : parser.Parse<kValidatingFlags>(stream, builder);
  if (result.Code() == rapidjson::kParseErrorTermination) {
    Fail("nested too deeply");
  } else if (result.IsError()) {
    Fail(absl::StrCat("invalid JSON at byte ", result.Offset(), ": ",
                      rapidjson::GetParseError_En(result.Code())));
  }
  impl_->tape.emplace_back();  // kEnd
}

Reader::~Reader() = default;

Kind Reader::Peek() const { return ok() ? KindOf(impl_->token().type) : Kind::kEnd; }

void Reader::Advance() { ++impl_->next; }

bool Reader::Expect(Kind kind) {
  if (!ok()) {
    return false;
  }
  const Kind got = Peek();
  if (got != kind) {
    Fail(absl::StrCat("expected ", std::string(KindName(kind)), ", got ",
                      std::string(KindName(got))));
    return false;
  }
  return true;
}

bool Reader::Bool() {
  if (!Expect(Kind::kBool)) {
    return false;
  }
  const bool value = impl_->token().boolean;
  Advance();
  return value;
}

int64_t Reader::Int64() {
  if (!Expect(Kind::kNumber)) {
    return 0;
  }
  const Token& token = impl_->token();
  if (token.type == Token::Type::kUint) {
    Fail("the integer does not fit 64 bits");
    return 0;
  }
  if (token.type == Token::Type::kDouble) {
    Fail("expected an integer");
    return 0;
  }
  const int64_t value = token.integer;
  Advance();
  return value;
}

int32_t Reader::Int32() {
  if (Peek() == Kind::kNumber && impl_->token().type == Token::Type::kInt) {
    const int64_t value = impl_->token().integer;
    if (value < std::numeric_limits<int32_t>::min() ||
        value > std::numeric_limits<int32_t>::max()) {
      Fail("the integer does not fit 32 bits");
      return 0;
    }
  }
  return static_cast<int32_t>(Int64());
}

double Reader::Double() {
  if (!Expect(Kind::kNumber)) {
    return 0;
  }
  const Token token = impl_->token();
  Advance();
  switch (token.type) {
    case Token::Type::kInt:
      return static_cast<double>(token.integer);
    case Token::Type::kUint:
      return static_cast<double>(token.unsigned_integer);
    default:
      return token.number;
  }
}

std::string_view Reader::String() {
  if (!Expect(Kind::kString)) {
    return {};
  }
  const std::string_view value = impl_->token().Text();
  Advance();
  return value;
}

std::string Reader::NumberOrString() {
  if (Peek() == Kind::kNumber) {
    return Raw();
  }
  if (ok() && Peek() != Kind::kString) {
    Fail(absl::StrCat("expected a number or a string, got ", std::string(KindName(Peek()))));
    return {};
  }
  return std::string(String());
}

namespace {

// Copies one token; keeps `depth` = how many objects and arrays are open.
void CopyToken(const Token& token, Writer& out, int& depth) {
  switch (token.type) {
    case Token::Type::kNull:
      return out.Null();
    case Token::Type::kBool:
      return out.Bool(token.boolean);
    case Token::Type::kInt:
      return out.Int64(token.integer);
    case Token::Type::kUint:
      return out.Uint64(token.unsigned_integer);
    case Token::Type::kDouble:
      return out.Double(token.number);
    case Token::Type::kString:
      return out.String(token.Text());
    case Token::Type::kKey:
      return out.Key(token.Text());
    case Token::Type::kBeginObject:
      ++depth;
      return out.BeginObject();
    case Token::Type::kEndObject:
      --depth;
      return out.EndObject();
    case Token::Type::kBeginArray:
      ++depth;
      return out.BeginArray();
    case Token::Type::kEndArray:
      --depth;
      return out.EndArray();
    case Token::Type::kEnd:
      return;
  }
}

}  // namespace

std::string Reader::Raw() {
  if (ok() && Peek() == Kind::kEnd) {
    Fail("expected a value, got nothing");
  }
  Writer out;
  int depth = 0;
  do {
    if (!ok()) {
      return {};
    }
    CopyToken(impl_->token(), out, depth);
    Advance();
  } while (depth > 0);
  return out.Take();
}

void Reader::Skip() {
  if (!ok()) {
    return;
  }
  const Token& token = impl_->token();
  switch (KindOf(token.type)) {
    case Kind::kEnd:
      return Fail("expected a value, got nothing");
    case Kind::kObject:
    case Kind::kArray:
      impl_->next = token.length + 1;
      return;
    default:
      return Advance();
  }
}

void Reader::BeginObject() {
  if (!Expect(Kind::kObject)) {
    return;
  }
  impl_->frames.push_back(Frame{});
  Advance();
}

bool Reader::NextKey(std::string_view& key) {
  if (!ok()) {
    return false;
  }
  const Token& token = impl_->token();
  if (token.type == Token::Type::kEndObject) {
    impl_->frames.pop_back();
    Advance();
    return false;
  }
  key = token.Text();
  impl_->frames.back().key = key;
  Advance();
  return ok();
}

void Reader::BeginArray() {
  if (!Expect(Kind::kArray)) {
    return;
  }
  impl_->frames.push_back(Frame{.array = true, .index = -1, .key = {}});
  Advance();
}

bool Reader::NextElement() {
  if (!ok()) {
    return false;
  }
  if (impl_->token().type == Token::Type::kEndArray) {
    impl_->frames.pop_back();
    Advance();
    return false;
  }
  ++impl_->frames.back().index;
  return true;
}

void Reader::Fail(std::string_view message) {
  if (!ok()) {
    return;
  }
  const std::string path = Path();
  status_ = InvalidArgumentError(path.empty() ? std::string(message)
                                              : absl::StrCat(path, ": ", std::string(message)));
}

std::string Reader::Path() const {
  std::string path;
  for (const Frame& frame : impl_->frames) {
    if (frame.array) {
      absl::StrAppend(&path, "[", frame.index, "]");
    } else if (!frame.key.empty()) {
      absl::StrAppend(&path, path.empty() ? "" : ".", std::string(frame.key));
    }
  }
  return path;
}

absl::Status Reader::Finish() {
  if (ok() && impl_->token().type != Token::Type::kEnd) {
    Fail("more text follows the value");
  }
  return status_;
}

}  // namespace korder::json
