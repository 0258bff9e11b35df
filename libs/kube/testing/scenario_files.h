// Scenarios: what is there and what has to follow from it, as YAML that needs no C++ to be read or
// added to. Every document of every *.yaml in a directory is one.
//
//   struct Scenario { std::string name; ...; static void Fields(...) };   // json/fields.h
//   for (const auto& file : kube::ReadScenarios<Scenario>(directory)) {
//     for (const Scenario& s : file.scenarios) { DYNAMIC_SECTION(file.name << ": " << s.name) ... }
//   }
//
// A key that the type does not know fails the test: a misspelt one would say nothing. For Catch
// tests.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

#include <catch2/catch.hpp>

#include "json/fields.h"
#include "kube/yaml_json.h"

namespace korder::kube {

template <class T>
struct ScenarioFile {
  std::string name;
  std::vector<T> scenarios;
};

namespace internal {

// Fails for keys that T does not have.
template <class T>
void CheckKeys(const std::string& where, std::string text);

struct KeyChecker {
  const std::string& where;
  std::map<std::string, json::RawValue>& values;
  std::set<std::string> known;

  template <class F>
  void operator()(std::string_view name, F&) {
    known.emplace(name);
    const auto it = values.find(std::string(name));
    if (it != values.end()) {
      CheckKeys<F>(where + "." + it->first, it->second.text);
    }
  }
  void Constant(std::string_view name, std::string_view) { known.emplace(name); }
};

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

template <class T>
void CheckKeys(const std::string& where, std::string text) {
  if constexpr (json::Described<T>) {
    std::map<std::string, json::RawValue> values;
    INFO(where);
    REQUIRE(json::Parse(std::move(text), values).ok());
    KeyChecker checker{where, values, {}};
    T any;
    T::Fields(any, checker);
    for (const auto& [key, value] : values) {
      INFO("unknown key " << key);
      CHECK(checker.known.contains(key));
    }
  } else if constexpr (IsVector<T>::value) {
    std::vector<json::RawValue> values;
    INFO(where);
    REQUIRE(json::Parse(std::move(text), values).ok());
    for (size_t i = 0; i < values.size(); ++i) {
      CheckKeys<typename T::value_type>(where + "[" + std::to_string(i) + "]", values[i].text);
    }
  } else if constexpr (IsOptional<T>::value) {
    CheckKeys<typename T::value_type>(where, std::move(text));
  }
}

}  // namespace internal

template <class T>
std::vector<ScenarioFile<T>> ReadScenarios(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() == ".yaml") {
      paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  std::vector<ScenarioFile<T>> files;
  for (const std::filesystem::path& path : paths) {
    INFO(path.filename().string());
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    const absl::StatusOr<std::vector<std::string>> documents = YamlToJson(text.str());
    INFO(documents.status().ToString());
    REQUIRE(documents.ok());
    ScenarioFile<T>& file = files.emplace_back();
    file.name = path.stem().string();
    for (const std::string& document : *documents) {
      T scenario;
      const absl::Status parsed = json::Parse(document, scenario);
      INFO(document << ": " << parsed);
      REQUIRE(parsed.ok());
      internal::CheckKeys<T>(scenario.name, document);
      file.scenarios.push_back(std::move(scenario));
    }
  }
  REQUIRE_FALSE(files.empty());
  return files;
}

}  // namespace korder::kube
