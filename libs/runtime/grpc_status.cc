#include <string>

#include <google/protobuf/any.pb.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/unknown_field_set.h>

#include "base/utf8.h"
#include "runtime/grpc_client.h"

// A retry hint travels as the standard google.rpc.RetryInfo inside grpc-status-details-bin, which
// other gRPC tools understand. The two message types are not part of the distribution's packages;
// they are a handful of fields, written and read here by number.
namespace korder::runtime {
namespace {

using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

// A status travels in the trailer. Clients take trailers of at most 8 KiB, and make another error
// of a larger one; the message may stand in it twice, in two encodings.
constexpr size_t kMostInTrailer = 2 << 10;

constexpr char kRetryInfo[] = "type.googleapis.com/google.rpc.RetryInfo";
// google.rpc.Status {int32 code = 1; string message = 2; repeated Any details = 3;}
constexpr int kCode = 1;
constexpr int kMessage = 2;
constexpr int kDetails = 3;
// google.rpc.RetryInfo {Duration retry_delay = 1;}
constexpr int kRetryDelay = 1;

// The message, or as much of it as arrives, without half a character at its end.
std::string Sendable(std::string_view message) {
  size_t length = 0;
  for (size_t cost = 0; length < message.size(); ++length) {
    const char c = message[length];
    cost += c >= ' ' && c <= '~' && c != '%' ? 1 : 3;  // otherwise it is written as %XX
    if (cost > kMostInTrailer) {
      break;
    }
  }
  if (length == message.size()) {
    return std::string(message);
  }
  return std::string(CutBetweenCharacters(message, length)) + "...";
}

std::string EncodeDetails(absl::StatusCode code, const std::string& message,
                          absl::Duration retry_after) {
  google::protobuf::Duration delay;
  delay.set_seconds(absl::ToInt64Seconds(retry_after));
  delay.set_nanos(
      static_cast<int32_t>((retry_after - absl::Seconds(delay.seconds())) / absl::Nanoseconds(1)));
  UnknownFieldSet retry_info;
  retry_info.AddLengthDelimited(kRetryDelay, delay.SerializeAsString());
  google::protobuf::Any any;
  any.set_type_url(kRetryInfo);
  retry_info.SerializeToString(any.mutable_value());

  UnknownFieldSet details;
  details.AddVarint(kCode, static_cast<uint64_t>(code));
  details.AddLengthDelimited(kMessage, message);
  details.AddLengthDelimited(kDetails, any.SerializeAsString());
  std::string out;
  details.SerializeToString(&out);
  return out;
}

// Zero when the details name none; they come from outside, so anything may be in them.
absl::Duration DecodeRetryAfter(const std::string& bytes) {
  UnknownFieldSet details;
  if (bytes.empty() || !details.ParseFromString(bytes)) {
    return absl::ZeroDuration();
  }
  for (int i = 0; i < details.field_count(); ++i) {
    const UnknownField& field = details.field(i);
    google::protobuf::Any any;
    if (field.number() != kDetails || field.type() != UnknownField::TYPE_LENGTH_DELIMITED ||
        !any.ParseFromString(field.length_delimited()) || any.type_url() != kRetryInfo) {
      continue;
    }
    UnknownFieldSet retry_info;
    google::protobuf::Duration delay;
    if (retry_info.ParseFromString(any.value()) && retry_info.field_count() == 1 &&
        retry_info.field(0).number() == kRetryDelay &&
        retry_info.field(0).type() == UnknownField::TYPE_LENGTH_DELIMITED &&
        delay.ParseFromString(retry_info.field(0).length_delimited())) {
      return absl::Seconds(delay.seconds()) + absl::Nanoseconds(delay.nanos());
    }
  }
  return absl::ZeroDuration();
}

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) {
    return grpc::Status::OK;
  }
  // The two vocabularies share their numbers.
  const auto code = static_cast<grpc::StatusCode>(status.code());
  const std::string message = Sendable(korder::Message(status));
  const absl::Duration retry_after = RetryAfter(status);
  return retry_after > absl::ZeroDuration()
             ? grpc::Status(code, message, EncodeDetails(status.code(), message, retry_after))
             : grpc::Status(code, message);
}

absl::Status FromGrpcStatus(const grpc::Status& status, std::string_view attempt) {
  if (status.ok()) {
    return absl::OkStatus();
  }
  const int number = status.error_code();
  const bool known = number > 0 && number <= grpc::StatusCode::UNAUTHENTICATED;
  absl::Status result(known ? static_cast<absl::StatusCode>(number) : absl::StatusCode::kUnknown,
                      status.error_message());
  const absl::Duration retry_after = DecodeRetryAfter(status.error_details());
  if (retry_after > absl::ZeroDuration()) {
    result = WithRetryAfter(std::move(result), retry_after);
  }
  return Annotate(result, attempt);
}

}  // namespace korder::runtime
