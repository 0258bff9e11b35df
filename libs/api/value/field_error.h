// A problem with one field of an object: where it is, what is there, and the rule that it breaks.
// Validation collects all of them, so that a user sees every problem at once.
//
//   FieldError error{"spec.strategy.schedule", "61 * * * *", "minute must be 0-59"};
//   Render(error);        // spec.strategy.schedule: "61 * * * *": minute must be 0-59
//   JoinErrors(errors);   // one; two; three
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace korder::api {

struct FieldError {
  std::string path;   // empty for the object as a whole
  std::string value;  // empty when there is none to show
  std::string rule;   // a fragment that reads on after the value: "minute must be 0-59"

  bool operator==(const FieldError&) const = default;
};

// `path: "value": rule`, without the parts that are empty. A long value is shortened and control
// characters are escaped: the text goes into conditions, events and logs.
std::string Render(const FieldError& error);

// `"value"`, as Render shows it, for other messages that repeat what a user wrote.
std::string Quoted(std::string_view value);

// All of them in one line, separated by "; "; empty for none.
std::string JoinErrors(const std::vector<FieldError>& errors);

// For test failures.
std::ostream& operator<<(std::ostream& out, const FieldError& error);

}  // namespace korder::api
