// Propagation of errors, one per line:
//
//   RETURN_IF_ERROR(client.Delete(key));
//   ASSIGN_OR_RETURN(api::Order order, client.Get<api::Order>(key));
//
// Both expand to several statements: never the body of an unbraced if.
#pragma once

#include "base/status.h"

#define KORDER_CONCAT_INNER(a, b) a##b
#define KORDER_CONCAT(a, b) KORDER_CONCAT_INNER(a, b)

#define RETURN_IF_ERROR(expr)                                       \
  do {                                                              \
    if (absl::Status korder_status = (expr); !korder_status.ok()) { \
      return korder_status;                                         \
    }                                                               \
  } while (false)

// `result` and `declaration` are names to declare: parentheses would change what they mean.
// NOLINTBEGIN(bugprone-macro-parentheses)
#define ASSIGN_OR_RETURN(declaration, expr) \
  KORDER_ASSIGN_OR_RETURN(KORDER_CONCAT(korder_result_, __LINE__), declaration, expr)

#define KORDER_ASSIGN_OR_RETURN(result, declaration, expr) \
  auto result = (expr);                                    \
  if (!result.ok()) {                                      \
    return std::move(result).status();                     \
  }                                                        \
  declaration = *std::move(result)
// NOLINTEND(bugprone-macro-parentheses)
