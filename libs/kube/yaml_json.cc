#include "kube/yaml_json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <initializer_list>
#include <sstream>
#include <string_view>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "json/writer.h"

namespace korder::kube {
namespace {

// No object of Kubernetes comes near either; anchors that contain themselves pass both.
constexpr int kMaxDepth = 100;
constexpr int kMaxNodes = 1'000'000;
constexpr size_t kMaxText = 64 << 20;  // of all scalars together

bool IsDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Takes the digits at the front of `text` away.
std::string_view TakeDigits(std::string_view& text) {
  const size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string_view digits = text.substr(0, end);
  text.remove_prefix(end);
  return digits;
}

// JSON's grammar of numbers: such a text is taken over as it stands.
bool IsJsonNumber(std::string_view text) {
  if (text.starts_with('-')) {
    text.remove_prefix(1);
  }
  const std::string_view whole = TakeDigits(text);
  if (whole.empty() || (whole.size() > 1 && whole.front() == '0')) {
    return false;
  }
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (TakeDigits(text).empty()) {
      return false;
    }
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) {
      text.remove_prefix(1);
    }
    return IsDigits(text);
  }
  return text.empty();
}

bool OneOf(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

// What YAML 1.1 takes for a number and JSON writes otherwise: 0x1F, 0o17, 017, +5, .5, 5.
bool WriteOddNumber(std::string_view text, json::Writer& w) {
  const bool negative = text.starts_with('-');
  std::string_view digits = text;
  if (negative || digits.starts_with('+')) {
    digits.remove_prefix(1);
  }
  if (digits.empty() || (digits.front() != '.' && (digits.front() < '0' || digits.front() > '9'))) {
    return false;
  }
  int base = 10;
  if (digits.starts_with("0x") || digits.starts_with("0o")) {
    base = digits[1] == 'x' ? 16 : 8;
    digits.remove_prefix(2);
  } else if (digits.size() > 1 && IsDigits(digits) && digits.front() == '0') {
    base = 8;
  }
  int64_t number = 0;
  const char* const end = digits.data() + digits.size();
  if (const auto [stop, error] = std::from_chars(digits.data(), end, number, base);
      error == std::errc() && stop == end) {
    w.Int64(negative ? -number : number);
    return true;
  }
  double value = 0;
  if (base == 10 && absl::SimpleAtod({digits.data(), digits.size()}, &value) &&
      std::isfinite(value)) {
    w.Double(negative ? -value : value);
    return true;
  }
  return false;
}

// A plain scalar is what it looks like; a quoted one (tag "!") is always a string. The words are
// those of YAML 1.1, which kubectl goes by.
void WriteScalar(const YAML::Node& node, json::Writer& w) {
  const std::string& text = node.Scalar();
  const bool plain = node.Tag() == "?" || node.Tag().empty();
  if (!plain) {
    w.String(text);
    return;
  }
  if (OneOf(text, {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"})) {
    w.Bool(true);
  } else if (OneOf(text, {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"})) {
    w.Bool(false);
  } else if (OneOf(text, {"", "~", "null", "Null", "NULL"})) {
    w.Null();
  } else if (IsJsonNumber(text)) {
    w.Raw(text);
  } else if (!WriteOddNumber(text, w)) {
    w.String(text);
  }
}

class Converter {
 public:
  absl::Status Write(const YAML::Node& node, int depth) {
    if (depth > kMaxDepth || ++nodes_ > kMaxNodes) {
      return At(node, "is nested too deeply, or too large once its aliases are expanded");
    }
    switch (node.Type()) {
      case YAML::NodeType::Map:
        return WriteMap(node, depth);
      case YAML::NodeType::Sequence:
        writer_.BeginArray();
        for (const auto& element : node) {
          RETURN_IF_ERROR(Write(element, depth + 1));
        }
        writer_.EndArray();
        return absl::OkStatus();
      case YAML::NodeType::Scalar:
        text_ += node.Scalar().size();
        if (text_ > kMaxText) {
          return At(node, "is too large once its aliases are expanded");
        }
        WriteScalar(node, writer_);
        return absl::OkStatus();
      default:
        writer_.Null();
        return absl::OkStatus();
    }
  }
  std::string Take() { return writer_.Take(); }

 private:
  static absl::Status At(const YAML::Node& node, std::string_view problem) {
    return InvalidArgumentError(absl::StrCat("line ", node.Mark().line + 1, ": ",
                                             absl::string_view(problem.data(), problem.size())));
  }
  absl::Status WriteMap(const YAML::Node& node, int depth) {
    writer_.BeginObject();
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) {
        return At(entry.first, "a key must be a string");
      }
      if (entry.first.Scalar() == "<<" && entry.first.Tag() != "!") {
        return At(entry.first, "merge keys (<<) are not supported: write the fields out");
      }
      writer_.Key(entry.first.Scalar());
      RETURN_IF_ERROR(Write(entry.second, depth + 1));
    }
    writer_.EndObject();
    return absl::OkStatus();
  }

  json::Writer writer_;
  int nodes_ = 0;
  size_t text_ = 0;
};

// Counts documents and keeps nothing.
class DocumentCounter final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override {
    ++documents;
    line = mark.line + 1;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

  int64_t documents = 0;
  int line = 0;
};

// yaml-cpp takes a comma where a document should begin for an empty document, and again, for ever.
absl::Status CheckDocuments(const std::string& text) {
  const int64_t most = std::count(text.begin(), text.end(), '\n') + 2;  // each begins a line
  std::istringstream in(text);
  YAML::Parser parser(in);
  DocumentCounter counter;
  while (parser.HandleNextDocument(counter)) {
    if (counter.documents > most) {
      return InvalidArgumentError(absl::StrCat("line ", counter.line, ": no document begins so"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> YamlNodeToJson(const YAML::Node& node) {
  Converter converter;
  RETURN_IF_ERROR(converter.Write(node, 0));
  return converter.Take();
}

absl::StatusOr<std::vector<std::string>> YamlToJson(const std::string& text) {
  std::vector<std::string> documents;
  try {
    RETURN_IF_ERROR(CheckDocuments(text));
    for (const YAML::Node& document : YAML::LoadAll(text)) {
      if (!document.IsDefined() || document.IsNull()) {
        continue;
      }
      ASSIGN_OR_RETURN(std::string json, YamlNodeToJson(document));
      documents.push_back(std::move(json));
    }
  } catch (const YAML::Exception& bad) {
    return InvalidArgumentError(bad.what());
  }
  return documents;
}

}  // namespace korder::kube
