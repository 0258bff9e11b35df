// Our values beside the Go implementations that Kubernetes uses: the same 500,000 texts, made at
// random, are read by both. KORDER_SEED=n chooses others.
#include <algorithm>
#include <cstdlib>
#include <functional>
#include <random>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "api/value/cron.h"
#include "api/value/duration.h"
#include "api/value/label_selector.h"
#include "api/value/quantity.h"
#include "ask_go.h"

namespace korder::api {
namespace {

// Texts that are mostly right, and wrong in small ways.
class Texts {
 public:
  Texts() {
    const char* seed = std::getenv("KORDER_SEED");
    random_.seed(seed == nullptr ? 1 : static_cast<uint32_t>(std::atoi(seed)));
  }

  int Below(int limit) { return static_cast<int>(random_() % static_cast<uint32_t>(limit)); }
  bool OneIn(int n) { return Below(n) == 0; }
  std::string Of(std::initializer_list<const char*> choices) {
    return choices.begin()[Below(static_cast<int>(choices.size()))];
  }
  std::string Digits(int at_most) {
    std::string digits;
    for (int i = Below(at_most + 1); i > 0; --i) {
      digits += OneIn(3) ? '0' : OneIn(4) ? '9' : static_cast<char>('0' + Below(10));
    }
    return digits;
  }
  std::string Number(int whole, int fraction) {
    std::string number = Digits(whole);
    if (OneIn(2)) {
      absl::StrAppend(&number, ".", Digits(fraction));
    }
    return number;
  }
  // One character lost, doubled or changed.
  std::string Spoiled(std::string text, std::string_view characters) {
    if (text.empty() || !OneIn(5)) {
      return text;
    }
    const auto at = static_cast<size_t>(Below(static_cast<int>(text.size())));
    const char other = characters[static_cast<size_t>(Below(static_cast<int>(characters.size())))];
    switch (Below(3)) {
      case 0:
        return text.erase(at, 1);
      case 1:
        return text.insert(at, 1, other);
      default:
        text[at] = other;
        return text;
    }
  }

  std::string Quantity() {
    for (;;) {
      std::string text = AnyQuantity();
      // Go takes forever to print a number with a thousand million digits.
      const size_t exponent = text.find_first_of("eE");
      if (exponent == std::string::npos || text.size() - exponent <= 4) {
        return text;
      }
    }
  }
  std::string AnyQuantity() {
    const std::string text = absl::StrCat(
        OneIn(5) ? Of({"-", "+", "--"}) : "", Number(OneIn(4) ? 20 : 5, OneIn(4) ? 14 : 3),
        Of({"",   "",   "n",   "u",   "m",  "m",  "k",  "M",  "G",  "T",   "P",
            "E",  "Ki", "Mi",  "Gi",  "Ti", "Pi", "Ei", "e3", "E3", "e-3", "E-9",
            "e9", "e0", "e+2", "e12", "K",  "mi", "ki", "Zi", "e",  "E+",  "i"}));
    return Spoiled(text, "0123456789.-+eEKkMGTPminu ");
  }
  std::string Duration() {
    std::string text = OneIn(6) ? Of({"-", "+"}) : "";
    for (int i = OneIn(20) ? 0 : 1 + Below(3); i > 0; --i) {
      absl::StrAppend(&text, Number(OneIn(10) ? 20 : 4, OneIn(10) ? 20 : 3),
                      Of({"ns", "us", "\u00b5s", "\u03bcs", "ms", "s", "m", "h", "h", "d", ""}));
    }
    return Spoiled(text, "0123456789.-+nusmhd ");
  }
  std::string Key() {
    return Of({"a", "b", "c", "in", "notin", "example.com/a", "x.y/b-c", "team", "A", "1", "_",
               "a/b/c", "-a", "exa_mple.com/a", "/a", "a/"});
  }
  std::string Value() {
    return Of({"", "1", "2", "x", "backend", "in", "a.b-c_d", "-x", "x y", "X"});
  }
  std::string Selector() {
    std::string text;
    for (int i = Below(4); i > 0; --i) {
      const std::string space = OneIn(4) ? " " : "";
      const std::string values =
          absl::StrCat("(", Value(), OneIn(2) ? absl::StrCat(",", space, Value()) : "", ")");
      absl::StrAppend(&text, text.empty() ? "" : ",", space);
      switch (Below(6)) {
        case 0:
          absl::StrAppend(&text, Key());
          break;
        case 1:
          absl::StrAppend(&text, "!", space, Key());
          break;
        case 2:
          absl::StrAppend(&text, Key(), " in ", values);
          break;
        case 3:
          absl::StrAppend(&text, Key(), " notin", space, values);
          break;
        default:
          absl::StrAppend(&text, Key(), space, Of({"=", "==", "!="}), space, Value());
          break;
      }
    }
    return Spoiled(text, "ab1=!,() x/.-");
  }
  Labels SomeLabels() {
    Labels labels;
    for (int i = Below(4); i > 0; --i) {
      labels[Of({"a", "b", "c", "in", "example.com/a", "team"})] =
          Of({"", "1", "2", "x", "backend", "in"});
    }
    return labels;
  }
  LabelSelector Expressions() {
    LabelSelector selector;
    for (int i = Below(3); i > 0; --i) {
      selector.match_labels[Key()] = Value();
    }
    for (int i = Below(3); i > 0; --i) {
      LabelSelectorRequirement expression{
          .key = Key(),
          .op = Of({"In", "NotIn", "Exists", "DoesNotExist", "In", "NotIn", "Gt", "in", ""})};
      for (int j = Below(3); j > 0; --j) {
        expression.values.push_back(Value());
      }
      selector.match_expressions.push_back(expression);
    }
    return selector;
  }

  // Without what only ours has (wrap-around, L, W, #) and what only Go has (steps longer than the
  // field, ? in any field).
  std::string CronField(int low, int high) {
    std::string field;
    for (int i = OneIn(4) ? 2 + Below(2) : 1; i > 0; --i) {
      const bool spoil = high != 6 && OneIn(50);  // Weekday 7 is Sunday to us only.
      const int from = low - (spoil && OneIn(2) ? 1 : 0) + Below(high - low + 1);
      const int to = std::min(high, from + Below(high - low + 1)) + (spoil ? 1 : 0);
      const std::string step =
          OneIn(4) ? absl::StrCat("/", Below(std::min(20, high - low + 2))) : "";
      absl::StrAppend(&field, field.empty() ? "" : ",",
                      OneIn(3)   ? "*" + step
                      : OneIn(2) ? absl::StrCat(from, step)
                                 : absl::StrCat(from, "-", to, step));
    }
    return field;
  }
  std::string Cron() {
    if (OneIn(40)) {
      return Of({"@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually",
                 "@Daily", "@", "@now"});
    }
    const auto star = [&](const std::string& field, const char* any = "*") {
      return OneIn(2) ? (OneIn(10) ? any : "*") : field;
    };
    const std::string month =
        OneIn(5) ? Of({"JAN", "feb-MAR", "Dec", "apr,AUG", "foo", "JANUARY"}) : CronField(1, 12);
    const std::string weekday =
        OneIn(5) ? Of({"MON", "mon-FRI", "Sun", "sat,TUE", "foo", "SUN-SAT/2"}) : CronField(0, 6);
    std::string text =
        absl::StrCat(CronField(0, 59), " ", star(CronField(0, 23)), " ",
                     star(CronField(1, 31), "?"), " ", star(month), " ", star(weekday, "?"));
    if (OneIn(60)) {
      absl::StrAppend(&text, Of({" *", "", " ", "  "}));
    }
    return text;
  }

 private:
  std::mt19937 random_;
};

std::vector<Question> Questions(int count, const std::function<Question()>& make) {
  std::vector<Question> questions;
  std::generate_n(std::back_inserter(questions), count, make);
  return questions;
}

}  // namespace

TEST_CASE("differential: quantities", "[differential]") {
  Texts texts;
  const auto questions = Questions(100'000, [&] {
    return Question{.kind = "quantity", .text = texts.Quantity(), .other = texts.Quantity()};
  });
  const std::vector<Answer> answers = AskGo(questions);
  // From 10^21 on Go prints 99000E as 99; from 10^29 on ours is cut, as quantity.h says.
  const auto absurd = [](const Quantity& quantity) {
    constexpr Quantity::Nanos kMost =
        Quantity::Nanos{1'000'000'000'000'000} * 1'000'000'000'000'000;
    return quantity.nanos() >= kMost || quantity.nanos() <= -kMost;
  };
  Differences differences;
  for (size_t i = 0; i < questions.size(); ++i) {
    const Question& question = questions[i];
    const Answer& go = answers[i];
    const auto ours = Quantity::Parse(question.text);
    // Go lets Ki and e3 pass, but not Pi and e63; ours does not draw this line.
    if (ours.ok() && !go.ok() &&
        question.text.find_first_of("0123456789") >= question.text.find_first_of("PEe")) {
      continue;
    }
    differences.Compare(question, "valid", ours.ok(), go.ok());
    if (!ours.ok() || !go.ok() || absurd(*ours)) {
      continue;
    }
    differences.Compare(question, "text", ours->ToString(), go.text);
    // Go gets the 64-bit values of many negative quantities wrong: -1330 for -1.3Ki.
    if (go.value && !ours->IsNegative()) {
      differences.Compare(question, "value", ours->Value(), *go.value);
    }
    if (go.milli && !ours->IsNegative()) {
      differences.Compare(question, "milli value", ours->MilliValue(), *go.milli);
    }
    const auto other = Quantity::Parse(question.other);
    if (!other.ok() || go.sum.empty() || absurd(*other)) {
      continue;
    }
    const auto order = *ours <=> *other;
    differences.Compare(question, "order", int64_t{order > 0 ? 1 : order < 0 ? -1 : 0}, go.compare);
    const auto sum = ours->Add(*other);
    if (sum.ok()) {
      differences.Compare(question, "sum", sum->ToString(), go.sum);
    }
  }
}

TEST_CASE("differential: durations", "[differential]") {
  Texts texts;
  const auto questions =
      Questions(100'000, [&] { return Question{.kind = "duration", .text = texts.Duration()}; });
  const std::vector<Answer> answers = AskGo(questions);
  Differences differences;
  for (size_t i = 0; i < questions.size(); ++i) {
    const auto ours = ParseDuration(questions[i].text);
    differences.Compare(questions[i], "valid", ours.ok(), answers[i].ok());
    if (ours.ok() && answers[i].ok()) {
      differences.Compare(questions[i], "nanoseconds", absl::ToInt64Nanoseconds(*ours),
                          answers[i].nanos);
      differences.Compare(questions[i], "text", PrintDuration(*ours), answers[i].text);
    }
  }
}

TEST_CASE("differential: selectors as text", "[differential]") {
  Texts texts;
  const auto questions = Questions(100'000, [&] {
    return Question{.kind = "selector", .text = texts.Selector(), .labels = texts.SomeLabels()};
  });
  const std::vector<Answer> answers = AskGo(questions);
  Differences differences;
  for (size_t i = 0; i < questions.size(); ++i) {
    const auto ours = ParseSelector(questions[i].text);
    differences.Compare(questions[i], "valid", ours.ok(), answers[i].ok());
    if (ours.ok() && answers[i].ok()) {
      differences.Compare(questions[i], "matches", ours->Matches(questions[i].labels),
                          answers[i].matches);
    }
  }
}

TEST_CASE("differential: selectors of objects", "[differential]") {
  Texts texts;
  const auto questions = Questions(100'000, [&] {
    return Question{
        .kind = "labelSelector", .labels = texts.SomeLabels(), .selector = texts.Expressions()};
  });
  const std::vector<Answer> answers = AskGo(questions);
  Differences differences;
  for (size_t i = 0; i < questions.size(); ++i) {
    const LabelSelector& ours = *questions[i].selector;
    const bool valid = Validate(ours, "selector").empty();
    differences.Compare(questions[i], "valid", valid, answers[i].ok());
    if (valid && answers[i].ok()) {
      differences.Compare(questions[i], "matches", ours.Matches(questions[i].labels),
                          answers[i].matches);
      if (!ours.empty()) {
        differences.Compare(questions[i], "text", ours.ToString(), answers[i].text);
      }
    }
  }
}

TEST_CASE("differential: cron", "[differential]") {
  Texts texts;
  const auto questions = Questions(100'000, [&] {
    return Question{
        .kind = "cron",
        .text = texts.Cron(),
        .zone = texts.Of({"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata",
                          "Australia/Lord_Howe", "Pacific/Chatham", "America/Sao_Paulo"}),
        // From 1990 to 2033.
        .from = 631'152'000 + int64_t{texts.Below(1'360'000'000)}};
  });
  const std::vector<Answer> answers = AskGo(questions);
  Differences differences;
  for (size_t i = 0; i < questions.size(); ++i) {
    const Question& question = questions[i];
    const Answer& go = answers[i];
    const auto ours = Cron::Parse(question.text, question.zone);
    // Ours refuses what never fires; Go finds nothing in the next five years.
    const bool fires = go.ok() && !go.times.empty();
    differences.Compare(question, "valid", ours.ok(), fires);
    // Where clocks change, ours differs on purpose; see cron.h.
    if (!ours.ok() || !fires || go.shifted) {
      continue;
    }
    std::vector<int64_t> times;
    absl::Time at = absl::FromUnixSeconds(question.from);
    while (times.size() < go.times.size()) {
      at = *ours->Next(at);
      times.push_back(absl::ToUnixSeconds(at));
    }
    differences.Compare(question, "times", times, go.times);
  }
}

}  // namespace korder::api
