#include "base/log.h"

#include <memory>
#include <spdlog/spdlog.h>

#include <spdlog/sinks/stdout_sinks.h>

#include "absl/strings/str_cat.h"

namespace korder::log {
namespace {

Format g_format = Format::kText;  // Written once by Init, before threads exist.

void AppendEscaped(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          absl::StrAppend(&out, "\\u", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad4));
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

bool NeedsQuotes(std::string_view text) {
  return text.empty() || text.find_first_of(" \"\n=") != std::string_view::npos;
}

spdlog::logger& Logger() {
  static const std::shared_ptr<spdlog::logger> kLogger = [] {
    auto made = spdlog::stderr_logger_mt("korder");
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %L %v", spdlog::pattern_time_type::utc);
    return made;
  }();
  return *kLogger;
}

void Write(spdlog::level::level_enum level, std::string_view message, Fields fields) {
  spdlog::logger& logger = Logger();
  if (!logger.should_log(level)) {
    return;
  }
  const std::string line =
      g_format == Format::kJson ? RenderJson(message, fields) : RenderText(message, fields);
  logger.log(level, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace

void Init(const Options& options) {
  spdlog::logger& logger = Logger();
  g_format = options.format;
  logger.set_pattern(
      options.format == Format::kJson
          ? absl::StrCat("{\"ts\":\"%Y-%m-%dT%H:%M:%S.%eZ\",\"level\":\"%l\",\"service\":\"",
                         options.service, "\"%v}")
          : absl::StrCat("%Y-%m-%dT%H:%M:%S.%eZ %L ", options.service, " %v"),
      spdlog::pattern_time_type::utc);
  constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info,
                                                   spdlog::level::warn, spdlog::level::err};
  logger.set_level(kLevels[static_cast<int>(options.level)]);
}

void Silence() { Logger().set_level(spdlog::level::off); }

absl::StatusOr<Level> ParseLevel(std::string_view text) {
  if (text == "debug") return Level::kDebug;
  if (text == "info") return Level::kInfo;
  if (text == "warn") return Level::kWarn;
  if (text == "error") return Level::kError;
  return InvalidArgumentError("log level must be debug, info, warn or error");
}

absl::StatusOr<Format> ParseFormat(std::string_view text) {
  if (text == "text") return Format::kText;
  if (text == "json") return Format::kJson;
  return InvalidArgumentError("log format must be text or json");
}

void Debug(std::string_view message, Fields fields) {
  Write(spdlog::level::debug, message, fields);
}
void Info(std::string_view message, Fields fields) { Write(spdlog::level::info, message, fields); }
void Warn(std::string_view message, Fields fields) { Write(spdlog::level::warn, message, fields); }
void Error(std::string_view message, Fields fields) { Write(spdlog::level::err, message, fields); }

std::string RenderJson(std::string_view message, Fields fields) {
  std::string out = ",\"msg\":";
  AppendEscaped(out, message);
  for (const Field& field : fields) {
    out += ',';
    AppendEscaped(out, field.key);
    out += ':';
    if (field.quoted) {
      AppendEscaped(out, field.value);
    } else {
      out += field.value;
    }
  }
  return out;
}

std::string RenderText(std::string_view message, Fields fields) {
  std::string out(message);
  for (const Field& field : fields) {
    out += ' ';
    out += field.key;
    out += '=';
    if (field.quoted && NeedsQuotes(field.value)) {
      AppendEscaped(out, field.value);
    } else {
      out += field.value;
    }
  }
  return out;
}

}  // namespace korder::log
