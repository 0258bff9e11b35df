#include "api/value/field_error.h"

#include "base/utf8.h"

namespace korder::api {
namespace {

// Enough to recognize a value by; an event's message has 1024 bytes for all problems together.
constexpr size_t kMaxShown = 128;

void AppendEscaped(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  if (c == '"' || c == '\\') {
    out.append({'\\', c});
  } else if (c == '\n') {
    out.append("\\n");
  } else if (c == '\t') {
    out.append("\\t");
  } else if (byte < 0x20 || byte == 0x7F) {
    out.append({'\\', 'x', kHex[byte >> 4], kHex[byte & 0xF]});
  } else {
    out.push_back(c);
  }
}

}  // namespace

std::string Quoted(std::string_view value) {
  const std::string_view shown = CutBetweenCharacters(value, kMaxShown);
  std::string out = "\"";
  for (const char c : shown) {
    AppendEscaped(out, c);
  }
  out.append(shown.size() < value.size() ? "...\"" : "\"");
  return out;
}

std::string Render(const FieldError& error) {
  std::string out;
  if (!error.path.empty()) {
    out.append(error.path).append(": ");
  }
  if (!error.value.empty()) {
    out.append(Quoted(error.value)).append(": ");
  }
  return out.append(error.rule);
}

std::string JoinErrors(const std::vector<FieldError>& errors) {
  std::string out;
  for (const FieldError& error : errors) {
    out.append(out.empty() ? "" : "; ").append(Render(error));
  }
  return out;
}

std::ostream& operator<<(std::ostream& out, const FieldError& error) {
  return out << Render(error);
}

}  // namespace korder::api
