// What Kubernetes demands of names.
//
//   problems.AddIf(path, name, DnsLabelProblem(name));
#pragma once

#include <string>
#include <string_view>

namespace korder::api {

// "", or what is wrong: a namespace's name, or one part of a longer name.
std::string DnsLabelProblem(std::string_view name);
// "", or what is wrong: DNS labels separated by dots, as most objects are named.
std::string DnsSubdomainProblem(std::string_view name);

}  // namespace korder::api
