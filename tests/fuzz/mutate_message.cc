#include "mutate_message.h"

#include <algorithm>
#include <array>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <limits>
#include <string_view>

#include "mutate.h"

namespace korder::fuzz {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr auto kIntegers = std::to_array<int64_t>({0,
                                                   1,
                                                   -1,
                                                   2,
                                                   5,
                                                   7,
                                                   63,
                                                   100,
                                                   5000,
                                                   5001,
                                                   1'000'000,
                                                   1'000'001,
                                                   1'800'000'000,
                                                   999'999'999,
                                                   1'000'000'000,
                                                   315'576'000'000,
                                                   315'576'000'001,
                                                   253'402'300'799,
                                                   253'402'300'800,
                                                   -62'135'596'800,
                                                   std::numeric_limits<int32_t>::max(),
                                                   std::numeric_limits<int32_t>::min(),
                                                   std::numeric_limits<int64_t>::max(),
                                                   std::numeric_limits<int64_t>::min()});

// What means something to somebody, or nothing at all.
constexpr auto kTexts = std::to_array<std::string_view>({"",
                                                         "a",
                                                         "b",
                                                         "-",
                                                         "%",
                                                         ".",
                                                         "..",
                                                         "/",
                                                         "a/b",
                                                         "default",
                                                         "team-a",
                                                         "nowhere",
                                                         "order/default/web",
                                                         "ticket/uid-1",
                                                         "uid-1",
                                                         "cpu",
                                                         "memory",
                                                         "pods",
                                                         "example.com/huge",
                                                         "0",
                                                         "1",
                                                         "-1",
                                                         "500m",
                                                         "1Gi",
                                                         "1e999",
                                                         "9223372036854775807",
                                                         "9223372036854775808",
                                                         "0.0000000001",
                                                         "1e-9",
                                                         "a b",
                                                         "korder.dev/order",
                                                         "{}",
                                                         "[]",
                                                         "null",
                                                         "\x7f",
                                                         "\xe2\x82\xac",
                                                         "\n"});

// Every message in it, itself first, and every text.
void Walk(Message& message, std::vector<Message*>& messages, std::vector<std::string>& texts) {
  messages.push_back(&message);
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      const int size =
          field->is_repeated() ? std::min(reflection.FieldSize(message, field), 50) : 1;
      for (int i = 0; i < size; ++i) {
        texts.push_back(field->is_repeated() ? reflection.GetRepeatedString(message, field, i)
                                             : reflection.GetString(message, field));
      }
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && field->is_repeated()) {
      std::vector<Message*> items;
      for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
        items.push_back(reflection.MutableRepeatedMessage(&message, field, i));
      }
      if (field->is_map()) {  // which has another order in every process
        std::sort(items.begin(), items.end(), [](const Message* a, const Message* b) {
          return a->SerializePartialAsString() < b->SerializePartialAsString();
        });
      }
      items.resize(std::min(items.size(), size_t{50}));
      for (Message* item : items) {
        Walk(*item, messages, texts);
      }
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      Walk(*reflection.MutableMessage(&message, field), messages, texts);
    }
  }
}

}  // namespace

void MessageMutator::Mutate(Message& message, int steps) {
  for (int i = 0; i < steps; ++i) {
    Step(message);
  }
}

void MessageMutator::Step(Message& root) {
  std::vector<Message*> messages;
  texts_.clear();
  Walk(root, messages, texts_);
  Message& message = *messages[Below(messages.size())];
  const auto fields = static_cast<size_t>(message.GetDescriptor()->field_count());
  if (fields > 0) {
    const FieldDescriptor& field = *message.GetDescriptor()->field(static_cast<int>(Below(fields)));
    field.is_repeated() ? ChangeList(message, field) : Change(message, field);
  }
}

int64_t MessageMutator::Integer() {
  return Below(4) == 0 ? static_cast<int64_t>(random_()) : kIntegers[Below(kIntegers.size())];
}

std::string MessageMutator::Text(const std::string& before) {
  switch (Below(5)) {
    case 0:
      return std::string(kTexts[Below(kTexts.size())]);
    case 1:
      return texts_.empty() ? before : texts_[Below(texts_.size())];
    case 2:
      return std::string(size_t{1} << Below(18), static_cast<char>('a' + Below(26)));
    default:
      return Mutator({before}, random_()).Make(1);
  }
}

void MessageMutator::Change(Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  if (Below(5) == 0) {
    return reflection.ClearField(&message, &field);
  }
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.SetInt32(&message, &field, static_cast<int32_t>(Integer()));
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.SetInt64(&message, &field, Integer());
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.SetBool(&message, &field, Below(2) == 0);
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection.SetString(&message, &field, Text(reflection.GetString(message, &field)));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      reflection.MutableMessage(&message, &field);
      return;
    default:
      return;  // no request has others
  }
}

void MessageMutator::ChangeList(Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  const int size = reflection.FieldSize(message, &field);
  const size_t kind = Below(5);
  if (field.is_map() && kind < 2) {
    return reflection.ClearField(&message, &field);  // It has no last one.
  }
  switch (kind) {
    case 0:
      if (size > 0) {
        reflection.RemoveLast(&message, &field);
      }
      return;
    case 1:
      if (size > 1) {
        reflection.SwapElements(&message, &field, 0, size - 1);
      }
      return;
    case 2:
      for (size_t times = size_t{1} << Below(Below(8) == 0 ? 14 : 5); times > 0; --times) {
        Extend(message, field);
      }
      return;
    default:
      return Extend(message, field);
  }
}

void MessageMutator::Extend(Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  const int size = reflection.FieldSize(message, &field);
  const int other =
      size == 0 || field.is_map() ? -1 : static_cast<int>(Below(static_cast<size_t>(size)));
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    const std::string before =
        other < 0 ? "a" : reflection.GetRepeatedString(message, &field, other);
    // Another id, mostly: the same one twice is one mistake of many.
    reflection.AddString(
        &message, &field,
        Below(4) == 0 ? Text(before) : before.substr(0, 40) + std::to_string(size));
  } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    Message* added = reflection.AddMessage(&message, &field);
    if (other >= 0 && Below(3) != 0) {
      added->CopyFrom(reflection.GetRepeatedMessage(message, &field, other));
    }
    for (int i = 0; i < added->GetDescriptor()->field_count() && Below(2) == 0; ++i) {
      const FieldDescriptor& inner = *added->GetDescriptor()->field(i);
      if (!inner.is_repeated()) {
        Change(*added, inner);
      }
    }
  }
}

}  // namespace korder::fuzz
