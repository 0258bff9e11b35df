#include "cli/denial_view.h"

#include <utility>

#include "cli/table.h"
#include "cli/text.h"

namespace korder::cli {

std::string DenialTable(const std::vector<pb::Denied>& denials, absl::Time now,
                        std::string_view indent) {
  Table table({{"QUOTA"},
               {"LIMIT"},
               {"REQUESTED", Align::kRight},
               {"USED", Align::kRight},
               {"HARD", Align::kRight},
               {"CHANGES"}});
  for (const pb::Denied& denied : denials) {
    table.AddRow(
        {denied.quota(), denied.resource(), denied.requested(), denied.used(), denied.limit(),
         denied.has_next_change_time() ? WhenText(FromProto(denied.next_change_time()), now) : ""});
  }
  return table.Render(indent);
}

void WriteDenials(json::Writer& w, const std::vector<pb::Denied>& denials) {
  w.BeginArray();
  for (const pb::Denied& denied : denials) {
    const std::pair<std::string_view, std::string_view> fields[] = {
        {"quota", denied.quota()},         {"resource", denied.resource()},
        {"requested", denied.requested()}, {"used", denied.used()},
        {"limit", denied.limit()},         {"message", denied.message()}};
    w.BeginObject();
    for (const auto& [name, value] : fields) {
      if (!value.empty()) {
        w.Key(name);
        w.String(value);
      }
    }
    if (denied.has_next_change_time()) {
      w.Key("nextChangeTime");
      w.String(TimeText(FromProto(denied.next_change_time())));
    }
    w.EndObject();
  }
  w.EndArray();
}

}  // namespace korder::cli
