#include "ask_go.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <catch2/catch.hpp>

namespace korder::api {

std::vector<Answer> AskGo(const std::vector<Question>& questions) {
  const std::filesystem::path dir =
      std::filesystem::temp_directory_path() / absl::StrCat("korder-differential-", ::getpid());
  std::filesystem::create_directories(dir);
  {
    std::ofstream out(dir / "questions");
    for (const Question& question : questions) {
      out << json::Print(question) << "\n";
    }
  }
  const std::string command = absl::StrCat(KORDER_REFERENCE " < ", (dir / "questions").string(),
                                           " > ", (dir / "answers").string());
  INFO(command);
  REQUIRE(std::system(command.c_str()) == 0);
  std::vector<Answer> answers;
  std::ifstream in(dir / "answers");
  for (std::string line; std::getline(in, line);) {
    Answer& answer = answers.emplace_back();
    if (!json::Parse(line, answer).ok()) {
      FAIL(line);
    }
  }
  std::filesystem::remove_all(dir);
  REQUIRE(answers.size() == questions.size());
  return answers;
}

Differences::~Differences() {
  UNSCOPED_INFO(compared_ << " compared, " << count_ << " differ\n" << text_);
  CHECK(count_ == 0);
}

}  // namespace korder::api
