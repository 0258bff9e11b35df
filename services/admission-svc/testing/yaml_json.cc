#include "admission-svc/testing/yaml_json.h"

#include <yaml-cpp/yaml.h>

#include "absl/strings/numbers.h"
#include "json/writer.h"

namespace korder::admission {
namespace {

// A plain scalar is what it looks like; a quoted one (tag "!") is always a string.
void WriteScalar(const YAML::Node& node, json::Writer& w) {
  const std::string& text = node.Scalar();
  int64_t number = 0;
  const bool plain = node.Tag() != "!";
  if (plain && (text == "true" || text == "false")) {
    w.Bool(text == "true");
  } else if (plain && absl::SimpleAtoi(text, &number)) {
    w.Int64(number);
  } else {
    w.String(text);
  }
}

void Write(const YAML::Node& node, json::Writer& w) {
  switch (node.Type()) {
    case YAML::NodeType::Map:
      w.BeginObject();
      for (const auto& entry : node) {
        w.Key(entry.first.Scalar());
        Write(entry.second, w);
      }
      w.EndObject();
      break;
    case YAML::NodeType::Sequence:
      w.BeginArray();
      for (const auto& element : node) {
        Write(element, w);
      }
      w.EndArray();
      break;
    case YAML::NodeType::Scalar:
      WriteScalar(node, w);
      break;
    case YAML::NodeType::Null:
    case YAML::NodeType::Undefined:
      w.Null();
      break;
  }
}

std::string ToJson(const YAML::Node& node) {
  json::Writer w;
  Write(node, w);
  return w.Take();
}

}  // namespace

std::string JsonFromYaml(const std::string& yaml) { return ToJson(YAML::Load(yaml)); }

std::string ExampleJson(const std::string& file) {
  return ToJson(YAML::LoadFile(std::string(KORDER_EXAMPLES_DIR) + "/" + file));
}

}  // namespace korder::admission
