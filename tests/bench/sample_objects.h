// Guardian pods and tickets as an API server sends them, managed fields and all: taken from a real
// one, in objects/*.json, and made different by their number.
//
//   const SampleObjects objects;
//   std::string text = objects.Guardian(17, 4711);   // of ticket 17, at version 4711
//
// Ticket i has guardian i, on one of 1,000 nodes. Pure once constructed; throws when a file is not
// there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace korder::bench {

class SampleObjects {
 public:
  SampleObjects();

  std::string Guardian(int number, int64_t version) const;
  std::string Ticket(int number, int64_t version) const;

 private:
  const std::string guardian_;
  const std::string ticket_;
};

// A page of a list of these objects; `next` is the token of the page after it, or empty.
std::string PageText(int64_t version, const std::string& next,
                     const std::vector<std::string>& objects);
// One line of a watch.
std::string EventText(std::string_view type, const std::string& object);

}  // namespace korder::bench
