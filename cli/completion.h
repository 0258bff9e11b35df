// Completion for shells: a small script for each, which asks the program itself what may come next,
// so that it is always in step with it.
//
//   out << CompletionScript("bash", "korderctl");
//   for (const std::string& word : Complete(app, {"quota", "li"})) { ... "list" ... }
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace korder::cli {

// REQUIRES: shell is bash, zsh or fish.
std::string CompletionScript(std::string_view shell, std::string_view program);

// What the last word may become; the words before it are complete. Nothing where a file name or a
// value that we do not know is expected.
std::vector<std::string> Complete(const CLI::App& app, const std::vector<std::string>& words);

}  // namespace korder::cli
