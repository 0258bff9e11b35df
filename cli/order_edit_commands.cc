#include "cli/order_edit_commands.h"

#include <functional>
#include <ostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "api/v1alpha1/order.h"
#include "base/status_macros.h"
#include "cli/order_commands.h"
#include "cli/skip_list.h"
#include "cli/structured.h"
#include "cli/text.h"
#include "json/writer.h"

namespace korder::cli {
namespace {

// Somebody else may write at the same time; more often in a row is not by chance.
constexpr int kTries = 5;

bool IsText(Format format) { return format == Format::kTable || format == Format::kWide; }

absl::StatusOr<api::Order> GetOrder(Session& session, kube::Client& client,
                                    const kube::ObjectKey& key) {
  absl::StatusOr<api::Order> order =
      client.Get<api::Order>(key, {.timeout = session.options.timeout});
  if (absl::IsNotFound(order.status())) {
    return NotFoundError(absl::StrCat("there is no order ", key.name, " in namespace ", key.ns,
                                      "; pass -n when it is in another one"));
  }
  return order;
}

// A merge patch that only holds for the version that was read.
template <class Spec>
std::string PatchOf(const api::Order& order, const Spec& write_spec) {
  json::Writer w;
  w.BeginObject();
  w.Key("metadata");
  w.BeginObject();
  w.Key("resourceVersion");
  w.String(order.metadata.resource_version);
  w.EndObject();
  w.Key("spec");
  w.BeginObject();
  write_spec(w);
  w.EndObject();
  w.EndObject();
  return w.Take();
}

std::string SkipPatch(const api::Order& order, const std::vector<std::string>& skip) {
  return PatchOf(order, [&](json::Writer& w) {
    w.Key("strategy");
    w.BeginObject();
    w.Key("skip");
    if (skip.empty()) {
      w.Null();
    } else {
      w.BeginArray();
      for (const std::string& entry : skip) {
        w.String(entry);
      }
      w.EndArray();
    }
    w.EndObject();
  });
}

// "2026-05-04T18:00:00Z (in 3h12m), Mon 2026-05-04 20:00 in Europe/Berlin".
std::string Moment(absl::Time time, absl::TimeZone zone, absl::Time now) {
  std::string text = WhenText(time, now);
  if (zone.name() != "UTC") {
    absl::StrAppend(&text, ", ", LocalText(time, zone), " in ", zone.name());
  }
  return text;
}

std::string SkipText(const kube::ObjectKey& key, const SkipChange& change,
                     const SkipOptions& options, absl::Time now) {
  std::string text =
      absl::StrCat("order ", key.ns, "/", key.name, ": ",
                   options.undo ? (options.dry_run ? "would no longer skip" : "no longer skips")
                                : (options.dry_run ? "would skip" : "skips"),
                   " the window of ", Moment(change.window, change.zone, now), "\n");
  if (!change.day.empty()) {
    absl::StrAppend(&text, "  with it every other window of ", change.day,
                    ", which was skipped as a day\n");
  }
  absl::StrAppend(&text,
                  "  next window: ", change.next ? Moment(*change.next, change.zone, now) : "none",
                  "\n");
  if (!change.dropped.empty()) {
    absl::StrAppend(&text, "  past entries ", options.dry_run ? "would be " : "",
                    "removed: ", absl::StrJoin(change.dropped, ", "), "\n");
  }
  return text;
}

std::string SkipJson(const kube::ObjectKey& key, const SkipChange& change,
                     const SkipOptions& options) {
  json::Writer w;
  const auto text = [&w](std::string_view name, std::string_view value) {
    w.Key(name);
    w.String(value);
  };
  w.BeginObject();
  text("namespace", key.ns);
  text("order", key.name);
  text(options.undo ? "unskipped" : "skipped", TimeText(change.window));
  if (change.next) {
    text("next", TimeText(*change.next));
  }
  w.Key("dryRun");
  w.Bool(options.dry_run);
  w.Key("skip");
  w.BeginArray();
  for (const std::string& entry : change.skip) {
    w.String(entry);
  }
  w.EndArray();
  w.EndObject();
  return w.Take();
}

// Reads, changes and writes, until nobody else wrote in between.
template <class T>
absl::StatusOr<T> WithoutConflict(const std::function<absl::StatusOr<T>()>& turn) {
  absl::StatusOr<T> result = turn();
  for (int i = 1; i < kTries && absl::IsAborted(result.status()); ++i) {
    result = turn();
  }
  return result;
}

// True when it was changed, false when it was so already.
absl::StatusOr<bool> SetOne(Session& session, kube::Client& client, const kube::ObjectKey& key,
                            bool paused) {
  return WithoutConflict<bool>([&]() -> absl::StatusOr<bool> {
    ASSIGN_OR_RETURN(const api::Order order, GetOrder(session, client, key));
    if (order.spec.paused == paused) {
      return false;
    }
    RETURN_IF_ERROR(client
                        .Patch<api::Order>(key, {},
                                           PatchOf(order,
                                                   [&](json::Writer& w) {
                                                     w.Key("paused");
                                                     w.Bool(paused);
                                                   }),
                                           {.timeout = session.options.timeout})
                        .status());
    return true;
  });
}

}  // namespace

absl::Status SkipNextWindow(Session& session, const SkipOptions& options) {
  ASSIGN_OR_RETURN(kube::Client * client, session.connector.Api());
  const kube::ObjectKey key{NamespaceOf(session), options.order};
  const absl::Time now = session.clock.Now();
  ASSIGN_OR_RETURN(
      const SkipChange change, WithoutConflict<SkipChange>([&]() -> absl::StatusOr<SkipChange> {
        ASSIGN_OR_RETURN(const api::Order order, GetOrder(session, *client, key));
        absl::StatusOr<SkipChange> planned =
            options.undo ? UnskipNext(order.spec, now) : SkipNext(order.spec, now);
        if (!planned.ok()) {
          return Annotate(planned.status(), absl::StrCat("order ", key.ToString()));
        }
        if (!options.dry_run) {
          RETURN_IF_ERROR(client
                              ->Patch<api::Order>(key, {}, SkipPatch(order, planned->skip),
                                                  {.timeout = session.options.timeout})
                              .status());
        }
        return planned;
      }));
  const Format format = session.options.style.format;
  session.io.out << (IsText(format) ? SkipText(key, change, options, now)
                                    : Structured(SkipJson(key, change, options), format));
  return absl::OkStatus();
}

absl::Status SetPaused(Session& session, const std::vector<std::string>& orders, bool paused) {
  ASSIGN_OR_RETURN(kube::Client * client, session.connector.Api());
  const std::string ns = NamespaceOf(session);
  std::vector<std::string> missing;
  for (const std::string& name : orders) {
    const absl::StatusOr<bool> changed = SetOne(session, *client, {ns, name}, paused);
    if (absl::IsNotFound(changed.status())) {
      missing.push_back(name);
      continue;
    }
    RETURN_IF_ERROR(changed.status());
    const std::string_view what = paused ? (*changed ? "paused" : "was paused already")
                                         : (*changed ? "resumed" : "was not paused");
    session.io.out << "order " << ns << "/" << name << ": " << what << "\n";
  }
  return missing.empty() ? absl::OkStatus()
                         : NotFoundError(absl::StrCat(
                               "there is no order ", absl::StrJoin(missing, ", "), " in namespace ",
                               ns, "; pass -n when it is in another one"));
}

}  // namespace korder::cli
