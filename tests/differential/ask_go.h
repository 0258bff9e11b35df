// Asks the program in reference/, and collects where its answers differ from ours.
//
//   const std::vector<Answer> answers = AskGo({{.kind = "duration", .text = "1h"}});
//   Differences differences;
//   differences.Compare(questions[0], "text", PrintDuration(ours), answers[0].text);
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "api/value/label_selector.h"
#include "json/fields.h"

namespace korder::api {

struct Question {
  std::string kind;
  std::string text;
  std::string other;
  std::string zone;
  int64_t from = 0;
  int64_t to = 0;
  Labels labels;
  std::optional<LabelSelector> selector;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("kind", self.kind);
    v("text", self.text);
    v("other", self.other);
    v("zone", self.zone);
    v("from", self.from);
    v("to", self.to);
    v("labels", self.labels);
    v("selector", self.selector);
  }
};

struct Answer {
  std::string error;
  std::string text;
  std::optional<int64_t> value;
  std::optional<int64_t> milli;
  int64_t compare = 0;
  std::string sum;
  int64_t nanos = 0;
  bool matches = false;
  std::vector<int64_t> times;
  bool shifted = false;

  bool ok() const { return error.empty(); }

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("error", self.error);
    v("text", self.text);
    v("value", self.value);
    v("milli", self.milli);
    v("compare", self.compare);
    v("sum", self.sum);
    v("nanos", self.nanos);
    v("matches", self.matches);
    v("times", self.times);
    v("shifted", self.shifted);
  }
};

// Go's answers to all of them, in their order.
std::vector<Answer> AskGo(const std::vector<Question>& questions);

// Reports each difference, and at most some of them; the test fails when there is one.
class Differences {
 public:
  ~Differences();
  template <class T>
  void Compare(const Question& question, const char* what, const T& ours, const T& theirs) {
    ++compared_;
    if (ours != theirs && ++count_ <= 30) {
      absl::StrAppend(&text_, json::Print(question), ": ", what, ": ", Show(ours), ", but Go says ",
                      Show(theirs), "\n");
    }
  }

 private:
  static std::string Show(const std::vector<int64_t>& times) { return absl::StrJoin(times, ","); }
  template <class T>
  static std::string Show(const T& value) {
    return absl::StrCat(value);
  }

  int64_t compared_ = 0;
  int64_t count_ = 0;
  std::string text_;
};

}  // namespace korder::api
