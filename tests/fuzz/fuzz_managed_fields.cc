// What is cut from the API server's texts: the rest reads the same, and only the arrays are gone.
#include "api/meta/managed_fields.h"
#include "fuzz.h"
#include "kube/testing/fake/json_value.h"

namespace korder::fuzz {
namespace {

using kube::fake::Json;

// The same with empty arrays for all managedFields, found in the tree.
Json Emptied(const Json& value) {
  if (value.IsArray()) {
    Json::Array elements;
    for (const Json& element : value.array()) {
      elements.push_back(Emptied(element));
    }
    return Json::Of(std::move(elements));
  }
  if (!value.IsObject()) {
    return value;
  }
  Json object = Json::EmptyObject();
  for (const Json::Member& member : value.object()) {
    const bool gone = member.key == "managedFields" && member.value.IsArray();
    object[member.key] = gone ? Json::Of({}) : Emptied(member.value);
  }
  return object;
}

}  // namespace

int FuzzOne(std::string_view input) {
  const std::string cut = api::WithoutManagedFields(input);
  FUZZ_CHECK(cut.size() <= input.size());
  FUZZ_CHECK(api::WithoutManagedFields(cut) == cut);
  Json whole;
  if (!json::Parse(std::string(input), whole).ok()) {
    return kRefused;
  }
  Json rest;
  FUZZ_CHECK(json::Parse(cut, rest).ok());
  FUZZ_CHECK(Emptied(rest) == Emptied(whole));
  // A name that is spelt with escapes is not found; the API server spells none so.
  FUZZ_CHECK(rest == Emptied(whole) || input.find("\\u") != std::string_view::npos);
  return kTaken;
}

}  // namespace korder::fuzz
