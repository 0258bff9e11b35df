// What scripts learn from how korderctl ends.
//
//   return ToExitCode(status);
#pragma once

#include "base/status.h"

namespace korder::cli {

enum class ExitCode {
  kOk = 0,           // done; `check`, `preview`: everything fits
  kFailed = 1,       // wrong use, or something local is wrong: a flag, a file
  kUnreachable = 2,  // korder or the API server does not answer
  kDenied = 3,       // `check`, `preview`: does not fit; `explain -f`: would be refused
  kForbidden = 4,    // not known, or not allowed
  kNotFound = 5,     // there is no such quota, order, pod or ticket
};

// NOT_FOUND is about what the user named: what else is missing comes under another code.
ExitCode ToExitCode(const absl::Status& status);

// The table for --help.
inline constexpr char kExitCodesHelp[] =
    "Exit codes:\n"
    "  0  done; check, preview: everything fits\n"
    "  1  wrong use, or a local file or setting is wrong\n"
    "  2  korder or the API server does not answer\n"
    "  3  check, preview: does not fit; explain -f: would be refused\n"
    "  4  not authenticated, or not allowed\n"
    "  5  there is no such quota, order, pod or ticket\n";

}  // namespace korder::cli
