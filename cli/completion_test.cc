#include "cli/completion.h"

#include <CLI/CLI.hpp>
#include <catch2/catch.hpp>

namespace korder::cli {
namespace {

using Words = std::vector<std::string>;

TEST_CASE("completion: commands, flags and known values, and nothing else", "[completion]") {
  CLI::App app("", "tool");
  std::string output;
  std::string shell;
  std::string file;
  bool flag = false;
  app.add_option("-o,--output", output);
  app.add_option("-f", file);
  app.add_flag("--loud", flag);
  CLI::App* quota = app.add_subcommand("quota", "");
  quota->add_subcommand("list", "");
  quota->add_subcommand("get", "")->add_option("--only", file);
  app.add_subcommand("completion", "")->add_option("shell", shell);

  struct Case {
    Words words;
    Words want;
  };
  const Case cases[] = {
      {{}, {"completion", "quota"}},
      {{""}, {"completion", "quota"}},
      {{"q"}, {"quota"}},
      {{"x"}, {}},
      {{"quota", ""}, {"get", "list"}},
      {{"quota", "list", ""}, {}},
      {{"--lo"}, {"--loud"}},
      {{"--loud", "q"}, {"quota"}},
      {{"quota", "get", "-"}, {"--help", "--loud", "--only", "--output"}},
      {{"-o", ""}, {"json", "table", "wide", "yaml"}},
      {{"quota", "--output", "j"}, {"json"}},
      {{"-o", "json", "quota", "l"}, {"list"}},
      {{"--output=json", "q"}, {"quota"}},
      {{"-f", ""}, {}},
      {{"-f", "quota", ""}, {"completion", "quota"}},
      {{"completion", ""}, {"bash", "fish", "zsh"}},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(CLI::detail::join(c.words)) { CHECK(Complete(app, c.words) == c.want); }
  }
}

TEST_CASE("completion: every script asks the program it is for", "[completion]") {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = CompletionScript(shell, "kubectl-korder");
    CHECK_THAT(script, Catch::Contains("kubectl-korder __complete ") &&
                           Catch::Contains("_kubectl_korder") && !Catch::Contains("@P") &&
                           !Catch::Contains("@F"));
  }
}

}  // namespace
}  // namespace korder::cli
