#include "cli/completion.h"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "absl/strings/str_replace.h"

namespace korder::cli {
namespace {

// @P is the program, @F its name in the names of functions.
constexpr char kBash[] = R"sh(# bash completion for @P:  source <(@P completion bash)
_@F_complete() {
  mapfile -t COMPREPLY < <(@P __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _@F_complete @P
)sh";

constexpr char kZsh[] = R"sh(#compdef @P
# zsh completion for @P:  source <(@P completion zsh)
_@F() {
  local -a found
  found=("${(@f)$(@P __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n ${found[1]} ]]; then compadd -- "${found[@]}"; else _files; fi
}
compdef _@F @P
)sh";

constexpr char kFish[] = R"sh(# fish completion for @P:  @P completion fish | source
function __@F_complete
  set -l words (commandline -opc) (commandline -ct)
  @P __complete $words[2..-1] 2>/dev/null
end
complete -c @P -a '(__@F_complete)'
)sh";

const CLI::Option* FindOption(const CLI::App* app, const std::string& word) {
  for (; app != nullptr; app = app->get_parent()) {
    if (const CLI::Option* option = app->get_option_no_throw(word)) {
      return option;
    }
  }
  return nullptr;
}

const CLI::App* FindSubcommand(const CLI::App* app, const std::string& word) {
  const auto found =
      app->get_subcommands([&](const CLI::App* sub) { return sub->get_name() == word; });
  return found.empty() ? nullptr : found.front();
}

// The option that the word is, when its value is the next word.
const CLI::Option* AwaitsValue(const CLI::App* app, const std::string& word) {
  if (!word.starts_with('-') || word.find('=') != std::string::npos) {
    return nullptr;
  }
  const CLI::Option* option = FindOption(app, word);
  return option != nullptr && option->get_items_expected_max() > 0 ? option : nullptr;
}

// Values of an option or argument, known by its name.
std::vector<std::string> ValuesOf(const CLI::App* app, const std::string& name) {
  if (name == "--output") {
    std::vector<std::string> formats = {"table", "wide", "json", "yaml"};
    if (app->get_name() == "calendar") {
      formats.push_back("ics");
    }
    return formats;
  }
  return name == "shell" ? std::vector<std::string>{"bash", "zsh", "fish"}
                         : std::vector<std::string>{};
}

void AddOptions(const CLI::App* app, std::vector<std::string>& words) {
  for (; app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* option : app->get_options()) {
      for (const std::string& name : option->get_lnames()) {
        if (!option->get_group().empty()) {
          words.push_back("--" + name);
        }
      }
    }
  }
}

std::vector<std::string> Candidates(const CLI::App* app, const CLI::Option* awaiting,
                                    const std::string& current) {
  if (awaiting != nullptr) {
    return awaiting->get_lnames().empty() ? std::vector<std::string>{}
                                          : ValuesOf(app, "--" + awaiting->get_lnames().front());
  }
  std::vector<std::string> words;
  if (current.starts_with('-')) {
    AddOptions(app, words);
    return words;
  }
  for (const CLI::App* sub : app->get_subcommands([](const CLI::App*) { return true; })) {
    if (!sub->get_group().empty()) {  // hidden ones have none
      words.push_back(sub->get_name());
    }
  }
  for (const CLI::Option* option : app->get_options()) {
    if (option->get_positional()) {
      const std::vector<std::string> values = ValuesOf(app, option->get_name());
      words.insert(words.end(), values.begin(), values.end());
    }
  }
  return words;
}

}  // namespace

std::string CompletionScript(std::string_view shell, std::string_view program) {
  const std::string name(program);
  return absl::StrReplaceAll(shell == "bash"  ? kBash
                             : shell == "zsh" ? kZsh
                                              : kFish,
                             {{"@P", name}, {"@F", absl::StrReplaceAll(name, {{"-", "_"}})}});
}

std::vector<std::string> Complete(const CLI::App& app, const std::vector<std::string>& words) {
  const CLI::App* at = &app;
  const CLI::Option* awaiting = nullptr;
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    if (awaiting != nullptr) {
      awaiting = nullptr;  // this word was its value
    } else if (const CLI::App* sub = FindSubcommand(at, words[i])) {
      at = sub;
    } else {
      awaiting = AwaitsValue(at, words[i]);
    }
  }
  const std::string current = words.empty() ? "" : words.back();
  std::vector<std::string> found = Candidates(at, awaiting, current);
  std::erase_if(found, [&](const std::string& word) { return !word.starts_with(current); });
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

}  // namespace korder::cli
