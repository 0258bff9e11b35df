#include "quota-svc/ledger_codec.h"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "api/value/duration.h"
#include "base/status_macros.h"

namespace korder::quota {
namespace {

constexpr char kMagic[] = "korder-ledger";
constexpr char kVersion[] = "1";
constexpr char kNone[] = "-";
constexpr size_t kUidSize = 36;
// What counts can go on counting.
constexpr int64_t kMostCounted = std::numeric_limits<int64_t>::max() / 2;
// Every object of a ledger has a name that quota-svc's Role allows.
constexpr int64_t kMostSegments = 64;

constexpr std::array<uint32_t, 256> kCrcTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB88320U : crc >> 1;
    }
    table[i] = crc;
  }
  return table;
}();

uint32_t Crc32(std::string_view text) {
  uint32_t crc = 0xFFFFFFFFU;
  for (const char c : text) {
    crc = kCrcTable[(crc ^ static_cast<uint8_t>(c)) & 0xFF] ^ (crc >> 8);
  }
  return ~crc;
}

// --- one word ---

bool IsPlain(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-' ||
         c == '/';
}

// Everything that could be taken for a separator is written as %XX; the empty word as %.
std::string Word(std::string_view text) {
  if (text == kNone) {
    return "%2d";
  }
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (IsPlain(c)) {
      out.push_back(c);
    } else {
      absl::StrAppendFormat(&out, "%%%02x", static_cast<uint8_t>(c));
    }
  }
  return out.empty() ? "%" : out;
}

absl::StatusOr<std::string> ReadWord(std::string_view word) {
  std::string out;
  for (size_t i = word == "%" ? 1 : 0; i < word.size(); ++i) {
    if (IsPlain(word[i])) {
      out += word[i];
      continue;
    }
    const bool escape = word[i] == '%' && i + 2 < word.size() &&
                        absl::ascii_isxdigit(static_cast<unsigned char>(word[i + 1])) &&
                        absl::ascii_isxdigit(static_cast<unsigned char>(word[i + 2]));
    if (!escape) {
      return InvalidArgumentError("a word has a character that it must not have");
    }
    out += absl::HexStringToBytes(std::string(word.substr(i + 1, 2)));
    i += 2;
  }
  return out;
}

absl::StatusOr<int64_t> ReadInt(std::string_view word) {
  int64_t value = 0;
  if (!absl::SimpleAtoi(std::string(word), &value) || value < 0) {
    return InvalidArgumentError("a number is expected");
  }
  if (value > kMostCounted) {
    return InvalidArgumentError("a number is out of range");
  }
  return value;
}

absl::StatusOr<int64_t> ReadSegments(std::string_view word) {
  ASSIGN_OR_RETURN(const int64_t segments, ReadInt(word));
  if (segments < 1 || segments > kMostSegments) {
    return InvalidArgumentError("the number of objects is out of range");
  }
  return segments;
}

absl::StatusOr<absl::Time> ReadTime(std::string_view word) {
  ASSIGN_OR_RETURN(const int64_t millis, ReadInt(word));
  return absl::FromUnixMillis(millis);
}

// --- a map as one word: "a=b,c=d" ---

template <class Map, class Print>
std::string Pairs(const Map& map, Print print) {
  std::string out;
  for (const auto& [key, value] : map) {
    absl::StrAppend(&out, out.empty() ? "" : ",", Word(key), "=", Word(print(value)));
  }
  return out.empty() ? kNone : out;
}

absl::StatusOr<api::Labels> ReadPairs(std::string_view word) {
  api::Labels pairs;
  if (word == kNone) {
    return pairs;
  }
  const std::vector<std::string> parts = absl::StrSplit(std::string(word), ',');
  for (const std::string& pair : parts) {
    const size_t equals = pair.find('=');
    if (equals == std::string::npos) {
      return InvalidArgumentError("key=value is expected");
    }
    ASSIGN_OR_RETURN(std::string key, ReadWord(std::string_view(pair).substr(0, equals)));
    ASSIGN_OR_RETURN(std::string value, ReadWord(std::string_view(pair).substr(equals + 1)));
    if (!pairs.emplace(std::move(key), std::move(value)).second) {
      return InvalidArgumentError("a key occurs twice");
    }
  }
  return pairs;
}

// --- claims and grants ---

std::string ClaimLine(const Claim& claim) {
  return absl::StrCat(
      "claim ", Word(claim.ns), " ", claim.duration ? api::PrintDuration(*claim.duration) : kNone,
      " ", Pairs(claim.amounts, [](const api::Quantity& amount) { return amount.ToString(); }), " ",
      Pairs(claim.labels, [](const std::string& value) { return value; }), "\n");
}

std::string GrantLine(const Grant& grant) {
  return absl::StrCat("grant ", Word(grant.id), " ", absl::ToUnixMillis(grant.expire_time), " ",
                      grant.ticket_uid.empty() ? kNone : Word(grant.ticket_uid),
                      grant.ticket_name.empty() ? "" : " " + Word(grant.ticket_name), "\n");
}

using Words = std::vector<std::string>;

absl::StatusOr<Claim> ReadClaim(const Words& words) {
  Claim claim;
  ASSIGN_OR_RETURN(claim.ns, ReadWord(words[1]));
  if (words[2] != kNone) {
    ASSIGN_OR_RETURN(claim.duration, api::ParseDuration(words[2]));
    if (*claim.duration < absl::ZeroDuration()) {
      return InvalidArgumentError("a duration is negative");
    }
  }
  ASSIGN_OR_RETURN(const api::Labels amounts, ReadPairs(words[3]));
  for (const auto& [key, text] : amounts) {
    ASSIGN_OR_RETURN(const api::Quantity amount, api::Quantity::Parse(text));
    if (amount.IsNegative() || amount > kMaxAmount) {
      return InvalidArgumentError("an amount is out of range");
    }
    claim.amounts[key] = amount;
  }
  ASSIGN_OR_RETURN(claim.labels, ReadPairs(words[4]));
  return claim;
}

absl::StatusOr<Grant> ReadGrant(const Words& words, ClaimPtr claim) {
  Grant grant{.id = "", .claim = std::move(claim), .ticket_uid = "", .expire_time = {}};
  ASSIGN_OR_RETURN(grant.id, ReadWord(words[1]));
  if (grant.id.empty()) {
    return InvalidArgumentError("a grant without an id");
  }
  ASSIGN_OR_RETURN(grant.expire_time, ReadTime(words[2]));
  if (words[3] != kNone) {
    ASSIGN_OR_RETURN(grant.ticket_uid, ReadWord(words[3]));
  }
  if (words.size() > 4) {
    ASSIGN_OR_RETURN(grant.ticket_name, ReadWord(words[4]));
  }
  return grant;
}

// Takes the text line by line; Finish says whether all of it was there.
class Decoder {
 public:
  absl::Status Line(const Words& words) {
    const std::string& kind = words[0];
    const auto is = [&](std::string_view name, size_t count) {
      return kind == name && words.size() == count;
    };
    if (ended_) {
      return InvalidArgumentError("something follows the end");
    }
    if (is("epoch", 2)) {
      ASSIGN_OR_RETURN(image_.epoch, ReadInt(words[1]));
    } else if (is("writer", 2)) {
      ASSIGN_OR_RETURN(image_.writer, ReadWord(words[1]));
    } else if (is("seq", 2)) {
      ASSIGN_OR_RETURN(image_.seq, ReadInt(words[1]));
    } else if (is("segments", 2)) {
      ASSIGN_OR_RETURN(image_.segments, ReadSegments(words[1]));
    } else if (is("closed-until", 2)) {
      ASSIGN_OR_RETURN(image_.closed_until, ReadTime(words[1]));
    } else if (is("claim", 5)) {
      ASSIGN_OR_RETURN(Claim claim, ReadClaim(words));
      claim_ = std::make_shared<const Claim>(std::move(claim));
    } else if (is("grant", 4) || is("grant", 5)) {
      return AddGrant(words);
    } else if (is("end", 1)) {
      ended_ = true;
    } else {
      return InvalidArgumentError("the line is not understood");
    }
    return absl::OkStatus();
  }

  absl::StatusOr<LedgerImage> Finish() && {
    if (!ended_) {
      return InvalidArgumentError("the end is missing");
    }
    std::sort(image_.grants.begin(), image_.grants.end(),
              [](const Grant& a, const Grant& b) { return a.id < b.id; });
    return std::move(image_);
  }

 private:
  absl::Status AddGrant(const Words& words) {
    if (claim_ == nullptr) {
      return InvalidArgumentError("a grant without a claim");
    }
    ASSIGN_OR_RETURN(Grant grant, ReadGrant(words, claim_));
    if (!ids_.insert(grant.id).second) {
      return InvalidArgumentError("a grant occurs twice");
    }
    if (!grant.ticket_uid.empty() && !tickets_.insert(grant.ticket_uid).second) {
      return InvalidArgumentError("a ticket has two grants");
    }
    image_.grants.push_back(std::move(grant));
    return absl::OkStatus();
  }

  LedgerImage image_;
  ClaimPtr claim_;
  std::set<std::string> ids_;
  std::set<std::string> tickets_;
  bool ended_ = false;
};

// What follows the first line, once that is in order.
absl::StatusOr<std::string_view> Body(std::string_view text) {
  const size_t end = text.find('\n');
  const std::string_view head = text.substr(0, end);
  if (end == std::string_view::npos || !head.starts_with(kMagic)) {
    return InvalidArgumentError("it does not begin like a ledger");
  }
  const std::string_view body = text.substr(end + 1);
  if (!head.starts_with(absl::StrCat(kMagic, " ", kVersion, " "))) {
    return InvalidArgumentError("its version is not known here");
  }
  if (text != Seal(body)) {
    return InvalidArgumentError("its checksum is wrong");
  }
  return body;
}

}  // namespace

std::string Seal(std::string_view body) {
  return absl::StrCat(kMagic, " ", kVersion, " ", absl::StrFormat("crc32=%08x", Crc32(body)), "\n",
                      std::string(body));
}

size_t EncodedBytes(const Grant& grant) {
  return grant.id.size() + std::max(grant.ticket_uid.size(), kUidSize) + grant.ticket_name.size() +
         33;
}

size_t EncodedBytes(const Claim& claim) {
  size_t size = claim.ns.size() + 64;
  for (const auto& [key, value] : claim.labels) {
    size += key.size() + value.size() + 2;
  }
  for (const auto& [key, amount] : claim.amounts) {
    size += key.size() + 40;
  }
  return size;
}

std::string Encode(const LedgerImage& image) {
  // Most grants share a claim object; equal ones need not.
  std::map<const Claim*, std::string> lines;
  std::map<std::string_view, std::vector<std::string>> grants_by_claim;
  for (const Grant& grant : image.grants) {
    std::string& line = lines[grant.claim.get()];
    if (line.empty()) {
      line = ClaimLine(*grant.claim);
    }
    grants_by_claim[line].push_back(GrantLine(grant));
  }
  std::string body = absl::StrCat("epoch ", image.epoch, "\nwriter ", Word(image.writer), "\nseq ",
                                  image.seq, "\n");
  if (image.closed_until) {
    absl::StrAppend(&body, "closed-until ", absl::ToUnixMillis(*image.closed_until), "\n");
  }
  if (image.segments != 1) {
    absl::StrAppend(&body, "segments ", image.segments, "\n");
  }
  for (auto& [claim, grants] : grants_by_claim) {
    body.append(claim);
    std::sort(grants.begin(), grants.end());
    for (const std::string& grant : grants) {
      body += grant;
    }
  }
  body += "end\n";
  return Seal(body);
}

absl::StatusOr<LedgerImage> Decode(std::string_view text) {
  ASSIGN_OR_RETURN(std::string_view body, Body(text));
  Decoder decoder;
  for (int number = 2; !body.empty(); ++number) {
    const size_t end = std::min(body.find('\n'), body.size() - 1);
    const Words words = absl::StrSplit(std::string(body.substr(0, end)), ' ');
    body.remove_prefix(end + 1);
    RETURN_IF_ERROR(Annotate(decoder.Line(words), absl::StrCat("line ", number)));
  }
  return std::move(decoder).Finish();
}

}  // namespace korder::quota
