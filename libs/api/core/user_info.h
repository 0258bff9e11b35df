// Who makes a request, as the API server tells webhooks and answers TokenReviews.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "json/fields.h"

namespace korder::api {

using UserExtra = std::map<std::string, std::vector<std::string>, std::less<>>;

struct UserInfo {
  std::string username;
  std::string uid;
  std::vector<std::string> groups;
  UserExtra extra;

  bool operator==(const UserInfo&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("username", self.username);
    v("uid", self.uid);
    v("groups", self.groups);
    v("extra", self.extra);
  }
};

}  // namespace korder::api
