// The text form of label selectors. The grammar is the one of kubectl's --selector, without < and
// >:
//
//   selector    = [ requirement { "," requirement } ]
//   requirement = key | "!" key | key ( "=" | "==" | "!=" ) [ value ]
//               | key ( "in" | "notin" ) "(" [ value ] { "," [ value ] } ")"
//
// A value may be empty, and blanks may stand between all of these.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/value/label_selector.h"
#include "base/status_macros.h"

namespace korder::api {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kSymbols = "=!(),<>";

// Cuts the text into words (keys, values, in, notin) and symbols; empty at the end.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : rest_(text) { SkipBlanks(); }

  std::string_view Peek() const { return rest_.substr(0, Length()); }
  std::string_view Take() {
    const std::string_view token = Peek();
    rest_.remove_prefix(token.size());
    SkipBlanks();
    return token;
  }
  bool TakeIf(std::string_view token) {
    const bool matches = Peek() == token;
    if (matches) {
      Take();
    }
    return matches;
  }
  bool AtWord() const {
    return !rest_.empty() && kSymbols.find(rest_[0]) == std::string_view::npos;
  }

 private:
  void SkipBlanks() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(kBlanks), rest_.size()));
  }
  size_t Length() const {
    if (AtWord()) {
      return std::min(rest_.find_first_of(" \t\r\n=!(),<>"), rest_.size());
    }
    return rest_.starts_with("==") || rest_.starts_with("!=") ? 2
                                                              : std::min<size_t>(rest_.size(), 1);
  }

  std::string_view rest_;
};

absl::Status Expected(std::string_view what, const Lexer& lexer) {
  const std::string_view found = lexer.Peek();
  return InvalidArgumentError(absl::StrCat("must be a label selector: expected ", std::string(what),
                                           ", found ", found.empty() ? "the end" : Quoted(found)));
}

absl::StatusOr<std::string> TakeKey(Lexer& lexer) {
  if (!lexer.AtWord()) {
    return Expected("a label key", lexer);
  }
  std::string key(lexer.Take());
  if (const std::string problem = LabelKeyProblem(key); !problem.empty()) {
    return InvalidArgumentError(Quoted(key) + ": " + problem);
  }
  return key;
}

absl::StatusOr<std::string> TakeValue(Lexer& lexer) {
  std::string value(lexer.AtWord() ? lexer.Take() : "");
  if (const std::string problem = LabelValueProblem(value); !problem.empty()) {
    return InvalidArgumentError(Quoted(value) + ": " + problem);
  }
  return value;
}

// What stands between parentheses, sorted and each only once.
absl::StatusOr<std::vector<std::string>> TakeValues(Lexer& lexer) {
  if (!lexer.TakeIf("(")) {
    return Expected("\"(\"", lexer);
  }
  std::vector<std::string> values;
  do {
    ASSIGN_OR_RETURN(std::string value, TakeValue(lexer));
    values.push_back(std::move(value));
  } while (lexer.TakeIf(","));
  if (!lexer.TakeIf(")")) {
    return Expected("\",\" or \")\"", lexer);
  }
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

// key=value goes to the labels, unless the key has another value there already.
void AddEqual(std::string key, std::string value, LabelSelector& selector) {
  const auto [it, added] = selector.match_labels.try_emplace(key, value);
  if (!added && it->second != value) {
    selector.match_expressions.push_back({std::move(key), "In", {std::move(value)}});
  }
}

absl::Status TakeRequirement(Lexer& lexer, LabelSelector& selector) {
  std::vector<LabelSelectorRequirement>& expressions = selector.match_expressions;
  const bool negated = lexer.TakeIf("!");
  ASSIGN_OR_RETURN(std::string key, TakeKey(lexer));
  if (negated || lexer.Peek().empty() || lexer.Peek() == ",") {
    expressions.push_back({std::move(key), negated ? "DoesNotExist" : "Exists", {}});
    return absl::OkStatus();
  }
  if (lexer.TakeIf("=") || lexer.TakeIf("==")) {
    ASSIGN_OR_RETURN(std::string value, TakeValue(lexer));
    AddEqual(std::move(key), std::move(value), selector);
    return absl::OkStatus();
  }
  if (lexer.TakeIf("!=")) {
    ASSIGN_OR_RETURN(std::string value, TakeValue(lexer));
    expressions.push_back({std::move(key), "NotIn", {std::move(value)}});
    return absl::OkStatus();
  }
  const bool in = lexer.Peek() == "in";
  if (!in && lexer.Peek() != "notin") {
    return Expected("one of =, ==, !=, in, notin", lexer);
  }
  lexer.Take();
  ASSIGN_OR_RETURN(std::vector<std::string> values, TakeValues(lexer));
  expressions.push_back({std::move(key), in ? "In" : "NotIn", std::move(values)});
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<LabelSelector> ParseSelector(std::string_view text) {
  LabelSelector selector;
  Lexer lexer(text);
  if (lexer.Peek().empty()) {
    return selector;
  }
  do {
    RETURN_IF_ERROR(TakeRequirement(lexer, selector));
  } while (lexer.TakeIf(","));
  if (!lexer.Peek().empty()) {
    return Expected("\",\" or the end", lexer);
  }
  return selector;
}

}  // namespace korder::api
