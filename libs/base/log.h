// Structured logs: a constant message and key/value data, as JSON lines or as text for people.
//
//   log::Info("ticket created", {{"ns", "default"}, {"ticket", name}, {"tries", 2}});
//   log::Warn("list failed", {{"resource", "tickets"}, {"error", ToString(status)}});
//
// Two levels in practice: info for decisions, debug for flow. Never log a secret. Thread-safe.
#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/status.h"

namespace korder::log {

enum class Level { kDebug, kInfo, kWarn, kError };
enum class Format { kText, kJson };

struct Options {
  Level level = Level::kInfo;
  Format format = Format::kText;
  // Stands in every line, for instance "order-svc".
  std::string service;
};

// Call once at the start of a process; before it, lines go to stderr as text.
void Init(const Options& options);

// From now on nothing is written: for programs whose errors are made on purpose.
void Silence();

absl::StatusOr<Level> ParseLevel(std::string_view text);
absl::StatusOr<Format> ParseFormat(std::string_view text);

// One key and its value; numbers and booleans stay such in JSON.
struct Field {
  template <std::integral T>
  Field(std::string_view k, T v) : key(k), value(std::to_string(v)), quoted(false) {}
  Field(std::string_view k, bool v) : key(k), value(v ? "true" : "false"), quoted(false) {}
  Field(std::string_view k, double v) : key(k), value(std::to_string(v)), quoted(false) {}
  Field(std::string_view k, std::string_view v) : key(k), value(v), quoted(true) {}
  Field(std::string_view k, const std::string& v) : key(k), value(v), quoted(true) {}
  Field(std::string_view k, const char* v) : key(k), value(v), quoted(true) {}

  std::string_view key;
  std::string value;
  bool quoted;
};
using Fields = std::initializer_list<Field>;

void Debug(std::string_view message, Fields fields = {});
void Info(std::string_view message, Fields fields = {});
void Warn(std::string_view message, Fields fields = {});
void Error(std::string_view message, Fields fields = {});

// The rest of a line after time and level: `,"msg":"...","key":...` or `message key=value`. For
// tests.
std::string RenderJson(std::string_view message, Fields fields);
std::string RenderText(std::string_view message, Fields fields);

}  // namespace korder::log
