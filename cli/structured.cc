#include "cli/structured.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "json/reader.h"
#include "json/writer.h"

namespace korder::cli {
namespace {

using json::Kind;
using json::Reader;

std::string Indent(int depth) { return std::string(static_cast<size_t>(depth) * 2, ' '); }

std::string QuotedJson(std::string_view text) {
  json::Writer w;
  w.String(text);
  return w.Take();
}

bool IsContainer(Kind kind) { return kind == Kind::kObject || kind == Kind::kArray; }

void WritePretty(Reader& r, int depth, std::string& out) {
  const Kind kind = r.Peek();
  if (!IsContainer(kind)) {
    out += r.Raw();
    return;
  }
  const bool object = kind == Kind::kObject;
  bool any = false;
  const auto begin_item = [&] {
    out += any ? ",\n" : "\n";
    out += Indent(depth + 1);
    any = true;
  };
  out += object ? '{' : '[';
  if (object) {
    std::string_view key;
    for (r.BeginObject(); r.NextKey(key);) {
      begin_item();
      out += QuotedJson(key) + ": ";
      WritePretty(r, depth + 1, out);
    }
  } else {
    for (r.BeginArray(); r.NextElement();) {
      begin_item();
      WritePretty(r, depth + 1, out);
    }
  }
  if (any) {
    out += "\n" + Indent(depth);
  }
  out += object ? '}' : ']';
}

// Whether a string needs no quotes: it begins with a letter or a slash, has only characters that
// mean nothing in YAML, and is none of the words that mean something.
bool IsPlain(std::string_view text) {
  constexpr std::array<std::string_view, 10> kWords = {"true", "false", "yes", "no", "on",
                                                       "off",  "null",  "y",   "n",  "nan"};
  const auto safe = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-' ||
           c == '/';
  };
  const std::string lower = absl::AsciiStrToLower({text.data(), text.size()});
  return !text.empty() && absl::ascii_isalpha(static_cast<unsigned char>(text.front())) &&
         std::all_of(text.begin(), text.end(), safe) &&
         std::find(kWords.begin(), kWords.end(), lower) == kWords.end();
}

std::string YamlString(std::string_view text) {
  return IsPlain(text) ? std::string(text) : QuotedJson(text);
}

void WriteYaml(Reader& r, int depth, std::string& out);

// After "key:" or at the top: a container begins on a line of its own, unless it is empty.
void WriteYamlValue(Reader& r, int depth, bool after_key, std::string& out) {
  if (!IsContainer(r.Peek())) {
    out += after_key ? " " : "";
    out += r.Peek() == Kind::kString ? YamlString(r.String()) : r.Raw();
    out += "\n";
    return;
  }
  std::string inner;
  const bool object = r.Peek() == Kind::kObject;
  WriteYaml(r, depth, inner);
  if (inner.empty()) {
    out += after_key ? " " : "";
    out += object ? "{}\n" : "[]\n";
  } else {
    out += after_key ? "\n" : "";
    out += inner;
  }
}

// The lines of an object or array; nothing for an empty one.
void WriteYaml(Reader& r, int depth, std::string& out) {
  if (r.Peek() == Kind::kObject) {
    std::string_view key;
    for (r.BeginObject(); r.NextKey(key);) {
      out += Indent(depth) + YamlString(key) + ":";
      // As kubectl prints it: a list stands below its key without being indented.
      WriteYamlValue(r, r.Peek() == Kind::kArray ? depth : depth + 1, true, out);
    }
    return;
  }
  for (r.BeginArray(); r.NextElement();) {
    std::string item;
    WriteYamlValue(r, depth + 1, false, item);
    if (item.starts_with(Indent(depth + 1))) {
      item.erase(0, Indent(depth + 1).size());
    }
    out += Indent(depth) + "- " + item;
  }
}

}  // namespace

std::string PrettyJson(std::string json) {
  Reader reader(std::move(json));
  std::string out;
  WritePretty(reader, 0, out);
  return out + "\n";
}

std::string YamlFromJson(std::string json) {
  Reader reader(std::move(json));
  std::string out;
  WriteYamlValue(reader, 0, false, out);
  return out;
}

std::string Structured(std::string json, Format format) {
  return format == Format::kYaml ? YamlFromJson(std::move(json)) : PrettyJson(std::move(json));
}

}  // namespace korder::cli
