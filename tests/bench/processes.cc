#include "processes.h"

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <unistd.h>

#include "absl/strings/str_cat.h"

namespace korder::bench {

Usage ReadUsage(int pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
  std::string text;
  if (!std::getline(file, text)) {
    throw std::runtime_error(absl::StrCat("process ", pid, " has ended"));
  }
  // The name in brackets may hold blanks; after it comes the third field.
  std::istringstream fields(text.substr(text.rfind(')') + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) {
    fields >> skipped;
  }
  int64_t user = 0, system = 0, resident = 0;
  fields >> user >> system;
  for (int field = 16; field < 24; ++field) {
    fields >> skipped;
  }
  fields >> resident;
  return {absl::Seconds(static_cast<double>(user + system) /
                        static_cast<double>(::sysconf(_SC_CLK_TCK))),
          resident * ::sysconf(_SC_PAGESIZE)};
}

namespace {

int64_t ReadShare(int pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/smaps_rollup"));
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    std::string name;
    int64_t kibibytes = 0;
    if (fields >> name >> kibibytes && name == "Pss:") {
      return kibibytes * 1024;
    }
  }
  throw std::runtime_error(absl::StrCat("cannot read the memory of process ", pid));
}

}  // namespace

Usages Processes::Read() const {
  Usages usages;
  for (const auto& [name, pid] : pids_) {
    usages[name] = ReadUsage(pid);
  }
  return usages;
}

std::map<std::string, int64_t> Processes::ReadShares() const {
  std::map<std::string, int64_t> shares;
  for (const auto& [name, pid] : pids_) {
    shares[name] = ReadShare(pid);
  }
  return shares;
}

}  // namespace korder::bench
