// Makes wrong requests of right ones, field by field: what no mutation of bytes would find, because
// the message is always one that can be read.
//
//   MessageMutator mutator(/*seed=*/4711);
//   mutator.Mutate(request, 3);        // three steps away
//
// Deterministic. Not thread-safe.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace google::protobuf {
class FieldDescriptor;
class Message;
}  // namespace google::protobuf

namespace korder::fuzz {

class MessageMutator {
 public:
  explicit MessageMutator(uint64_t seed) : random_(seed) {}

  void Mutate(google::protobuf::Message& message, int steps);

 private:
  void Step(google::protobuf::Message& root);
  void Change(google::protobuf::Message& message, const google::protobuf::FieldDescriptor& field);
  void ChangeList(google::protobuf::Message& message,
                  const google::protobuf::FieldDescriptor& field);
  // Adds an element: an empty one, a copy of another, or of a new value.
  void Extend(google::protobuf::Message& message, const google::protobuf::FieldDescriptor& field);
  std::string Text(const std::string& before);
  int64_t Integer();
  size_t Below(size_t bound) { return bound == 0 ? 0 : random_() % bound; }

  std::mt19937_64 random_;
  std::vector<std::string> texts_;  // that stand in the message
};

}  // namespace korder::fuzz
