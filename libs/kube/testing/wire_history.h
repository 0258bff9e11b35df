// What happened on a server, one version after the other, and how a client of lists and watches
// must see it.
//
//   WireHistory history(seed);
//   history.Grow(50);
//   transport.Answer({.status = 200, .body = history.ListBody(0)});
//   transport.AnswerStream({{history.Stream(0)}, absl::OkStatus()});
//   WireWitness witness(informer);
//   informer.Run(stop);
//   CHECK(witness.faults() == WireWitness::Lines{});
//   CHECK(witness.told() == history.At(history.newest()));
//
// The objects are ConfigMaps without content: what counts is which versions are seen, in what
// order.
#pragma once

#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "api/core/config_map.h"
#include "kube/informer.h"

namespace korder::kube {

struct WireChange {
  std::string_view type;  // of the watch event
  std::string name;
  int version = 0;

  // The frame with its line end; short, because tests have a run for each of its bytes.
  std::string Event() const {
    return absl::StrCat(R"({"type":")", std::string(type), R"(","object":{"metadata":{"name":")",
                        name, R"(","resourceVersion":")", version, "\"}}}\n");
  }
};

// Versions by name.
using WireObjects = std::map<std::string, int>;

class WireHistory {
 public:
  static constexpr int kObjects = 7;
  static constexpr int kFirst = 100;  // the version before the first change

  explicit WireHistory(unsigned seed) : random_(seed) {}

  // Objects are made, changed, deleted, and made again under the same name.
  void Grow(int changes) {
    for (int i = 0; i < changes; ++i) {
      std::string name = absl::StrCat("o", random_() % kObjects);
      const bool is_there = objects_.contains(name);
      const bool deleted = is_there && random_() % 4 == 0;
      const std::string_view type = deleted ? "DELETED" : is_there ? "MODIFIED" : "ADDED";
      const int version = newest() + 1 + static_cast<int>(random_() % 3);
      if (deleted) {
        objects_.erase(name);
      } else {
        objects_[name] = version;
      }
      changes_.push_back({type, std::move(name), version});
    }
  }

  const std::vector<WireChange>& changes() const { return changes_; }
  int newest() const { return changes_.empty() ? kFirst : changes_.back().version; }
  // How many changes there were up to this version.
  size_t CountUpTo(int version) const {
    size_t count = 0;
    while (count < changes_.size() && changes_[count].version <= version) {
      ++count;
    }
    return count;
  }
  WireObjects At(int version) const {
    WireObjects objects;
    for (size_t i = 0; i < CountUpTo(version); ++i) {
      if (changes_[i].type == "DELETED") {
        objects.erase(changes_[i].name);
      } else {
        objects[changes_[i].name] = changes_[i].version;
      }
    }
    return objects;
  }
  // A whole list as of this version.
  std::string ListBody(int version) const {
    std::string items;
    for (const auto& [name, at] : At(version)) {
      absl::StrAppend(&items, items.empty() ? "" : ",", R"({"metadata":{"name":")", name,
                      R"(","resourceVersion":")", at, "\"}}");
    }
    return absl::StrCat(R"({"metadata":{"resourceVersion":")", version, R"("},"items":[)", items,
                        "]}");
  }
  // What a watch from this version is told.
  std::string Stream(int version) const {
    std::string stream;
    for (size_t i = CountUpTo(version); i < changes_.size(); ++i) {
      stream += changes_[i].Event();
    }
    return stream;
  }

 private:
  std::mt19937 random_;
  std::vector<WireChange> changes_;
  WireObjects objects_;  // newest
};

// Holds what an informer tells its handlers against what it told before.
class WireWitness {
 public:
  using Lines = std::vector<std::string>;

  // Must be there before the informer runs, and as long.
  explicit WireWitness(Informer<api::ConfigMap>& informer) : informer_(informer) {
    informer.OnChange(
        [this](const api::ConfigMap* was, const api::ConfigMap* is) { See(was, is); });
  }

  const WireObjects& told() const { return told_; }
  WireObjects Stored() const {
    WireObjects objects;
    for (const auto& object : informer_.store().List()) {
      objects[object->metadata.name] = VersionOf(object.get());
    }
    return objects;
  }
  // Changes that do not begin where the last one of the object ended (one was lost, or came twice),
  // or that lead back.
  const Lines& faults() const { return faults_; }

 private:
  static int VersionOf(const api::ConfigMap* object) {
    int version = 0;
    if (object != nullptr && !absl::SimpleAtoi(object->metadata.resource_version, &version)) {
      version = -1;
    }
    return version;
  }
  void See(const api::ConfigMap* was, const api::ConfigMap* is) {
    const std::string& name = (is != nullptr ? is : was)->metadata.name;
    const auto known = told_.find(name);
    const int before = known == told_.end() ? 0 : known->second;
    if (VersionOf(was) != before || (is != nullptr && VersionOf(is) <= before)) {
      faults_.push_back(absl::StrCat(name, ": from ", VersionOf(was), " to ", VersionOf(is),
                                     " although it was at ", before));
    }
    if (is != nullptr) {
      told_[name] = VersionOf(is);
    } else {
      told_.erase(name);
    }
  }

  const Informer<api::ConfigMap>& informer_;
  WireObjects told_;
  Lines faults_;
};

}  // namespace korder::kube
