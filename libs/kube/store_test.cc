#include "kube/store.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "api/core/config_map.h"

namespace korder::kube {
namespace {

using Names = std::vector<std::string>;

std::shared_ptr<const api::ConfigMap> Make(const std::string& name, const Names& tags = {}) {
  api::ConfigMap object;
  object.metadata.ns = "ns";
  object.metadata.name = name;
  for (const std::string& tag : tags) {
    object.data[tag] = "";
  }
  return std::make_shared<const api::ConfigMap>(std::move(object));
}

IndexValues TagsOf(const api::ConfigMap& object) {
  IndexValues tags;
  for (const auto& [tag, unused] : object.data) {
    tags.emplace_back(tag);
  }
  return tags;
}

Names NamesOf(const std::vector<std::shared_ptr<const api::ConfigMap>>& objects) {
  Names names;
  for (const auto& object : objects) {
    names.push_back(object->metadata.name);
  }
  return names;
}

TEST_CASE("store: put replaces, erase takes out, and both return what was there", "[store]") {
  Store<api::ConfigMap> store;
  const auto first = Make("a");
  const auto second = Make("a");
  CHECK(store.Put(first) == nullptr);
  CHECK(store.Put(second) == first);
  CHECK(store.Get({"ns", "a"}) == second);
  CHECK(store.size() == 1);
  CHECK(store.Erase({"ns", "a"}) == second);
  CHECK(store.Erase({"ns", "a"}) == nullptr);
  CHECK(store.Get({"ns", "a"}) == nullptr);
  CHECK(store.Get({"", "a"}) == nullptr);
}

TEST_CASE("store: a look at every object finds those that are wanted", "[store]") {
  Store<api::ConfigMap> store;
  store.Put(Make("a", {"red"}));
  store.Put(Make("b", {"red", "blue"}));
  store.Put(Make("c"));
  const auto wanted = [](const api::ConfigMap& object) { return object.data.contains("red"); };
  Names names = NamesOf(store.Those(wanted));
  std::sort(names.begin(), names.end());
  CHECK(names == Names{"a", "b"});
  store.Erase({"ns", "a"});
  CHECK(NamesOf(store.Those(wanted)) == Names{"b"});
}

TEST_CASE("store: an index follows every change and answers in the order of keys", "[store]") {
  Store<api::ConfigMap> store;
  store.AddIndex("tag", TagsOf);
  store.Put(Make("b", {"red", "blue"}));
  store.Put(Make("a", {"red"}));
  CHECK(NamesOf(store.ByIndex("tag", "red")) == Names{"a", "b"});
  CHECK(NamesOf(store.ByIndex("tag", "blue")) == Names{"b"});
  CHECK(store.ByIndex("tag", "green").empty());
  store.Put(Make("b", {"green"}));
  CHECK(NamesOf(store.ByIndex("tag", "red")) == Names{"a"});
  CHECK(store.ByIndex("tag", "blue").empty());
  CHECK(NamesOf(store.ByIndex("tag", "green")) == Names{"b"});
  store.Erase({"ns", "b"});
  CHECK(store.ByIndex("tag", "green").empty());
}

TEST_CASE("store: lists are in the order of keys", "[store]") {
  Store<api::ConfigMap> store;
  Names want;
  std::vector<ObjectKey> keys;
  for (char name = 'a'; name <= 'z'; ++name) {
    want.emplace_back(1, name);
    keys.push_back({"ns", want.back()});
  }
  for (auto name = want.rbegin(); name != want.rend(); ++name) {
    store.Put(Make(*name));
  }
  CHECK(NamesOf(store.List()) == want);
  CHECK(store.Keys() == keys);
}

TEST_CASE("store: an object that a reader holds outlives its place in the store", "[store]") {
  Store<api::ConfigMap> store;
  store.Put(Make("a", {"red"}));
  const auto held = store.Get({"ns", "a"});
  store.Put(Make("a"));
  store.Erase({"ns", "a"});
  CHECK(TagsOf(*held) == IndexValues{"red"});
}

}  // namespace
}  // namespace korder::kube
