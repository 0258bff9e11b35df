#include "cli/app.h"

#include <functional>
#include <ostream>
#include <utility>

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "api/value/duration.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "cli/completion.h"
#include "cli/exit_code.h"
#include "cli/explain_commands.h"
#include "cli/explain_file.h"
#include "cli/order_commands.h"
#include "cli/order_edit_commands.h"
#include "cli/quota_commands.h"
#include "cli/structured.h"
#include "json/writer.h"
#include "runtime/version.h"

namespace korder::cli {
namespace {

constexpr char kPluginName[] = "kubectl-korder";
constexpr char kPluginCompletion[] = "kubectl_complete-korder";

// The command line: flags, commands, and the command that was chosen.
class CommandLine {
 public:
  using Command = std::function<absl::StatusOr<ExitCode>(Session&)>;

  CommandLine(const std::string& program, std::stop_token stop)
      : program_(program),
        stop_(std::move(stop)),
        app_(
            "Shows what orders hold and will hold, skips and pauses them, explains pods and "
            "tickets, "
            "looks at quotas, and asks whether an order would fit.",
            program == kPluginName ? "kubectl korder" : program) {
    app_.require_subcommand(0, 1);
    app_.fallthrough();  // inherited: global flags may follow the command
    app_.set_version_flag("--version", std::string(runtime::Version()));
    app_.footer(kExitCodesHelp);
    AddGlobalFlags();
    CLI::App* quota = app_.add_subcommand("quota", "Quotas: what may be reserved, and what is");
    quota->require_subcommand(0, 1);
    AddList(*quota);
    AddGet(*quota);
    AddUsage(*quota);
    AddCheck(*quota);
    AddWatch(*quota);
    AddOrders();
    AddTickets();
    AddPreview();
    AddCalendar();
    AddSkipNext();
    AddPause();
    AddExplain();
    AddVersion();
    AddCompletion();
  }

  CLI::App& app() { return app_; }
  GlobalOptions& options() { return options_; }
  bool verbose() const { return verbose_; }
  const Command& command() const { return command_; }

  // What CLI11 cannot check. INVALID_ARGUMENT names the flag.
  absl::Status Finish(const Screen& screen) {
    const auto timeout = api::ParseDuration(timeout_);
    if (!timeout.ok() || *timeout <= absl::ZeroDuration()) {
      return InvalidArgumentError("--timeout: must be a duration above 0, as 10s or 1m30s");
    }
    options_.timeout = *timeout;
    options_.style.format = output_ == "wide"   ? Format::kWide
                            : output_ == "json" ? Format::kJson
                            : output_ == "yaml" ? Format::kYaml
                            : output_ == "ics"  ? Format::kIcs
                                                : Format::kTable;
    options_.style.color = screen.color && !no_color_;
    options_.style.unicode = screen.unicode;
    options_.style.width = screen.width;
    options_.stdin_taken = check_.file == "-" || preview_.file == "-" || explain_file_ == "-";
    if (options_.style.format == Format::kIcs && !has_ics_) {
      return InvalidArgumentError("--output: ics is for `calendar` only");
    }
    return absl::OkStatus();
  }

 private:
  void AddGlobalFlags() {
    app_.add_option("--kubeconfig", options_.kubeconfig,
                    "Cluster access; default: $KUBECONFIG, in-cluster, ~/.kube/config");
    app_.add_option("--context", options_.context, "Of the kubeconfig, instead of the current one");
    app_.add_option(
        "-n,--namespace", options_.ns,
        "Where orders, tickets and pods are, or go; default: the context's. quota: only "
        "those that count something in it; default: all");
    app_.add_option("--server", options_.server,
                    "host:port of quota-svc, for `quota`; default: $KORDER_SERVER, or found "
                    "through the cluster");
    app_.add_option("--token", options_.token,
                    "Bearer token; default: the kubeconfig's, or a requested one");
    app_.add_option("--service-account", options_.service_account,
                    "[NS/]NAME: request a token for this ServiceAccount");
    app_.add_option("--ca-file", options_.ca_file,
                    "CA of korder's certificates; default: the ConfigMap korder-ca");
    app_.add_option("--system-namespace", options_.system_namespace, "Where korder is installed")
        ->capture_default_str();
    app_.add_option("-o,--output", output_, "table, wide, json or yaml; calendar: also ics")
        ->check(CLI::IsMember({"table", "wide", "json", "yaml", "ics"}).description(""))
        ->option_text("FORMAT=table");
    app_.add_option("--timeout", timeout_, "How long to wait for an answer")->capture_default_str();
    app_.add_flag("--no-color", no_color_, "No colours; $NO_COLOR says the same");
    app_.add_flag("--verbose", verbose_, "Tell on stderr where answers come from, and as whom");
  }

  // A subcommand that runs `command` when it is chosen.
  CLI::App* Add(CLI::App& parent, const std::string& name, const std::string& about,
                Command command) {
    CLI::App* sub = parent.add_subcommand(name, about);
    sub->callback([this, command = std::move(command)] { command_ = command; });
    return sub;
  }

  static absl::StatusOr<ExitCode> Done(const absl::Status& status) {
    RETURN_IF_ERROR(status);
    return ExitCode::kOk;
  }

  void AddList(CLI::App& quota) {
    Add(quota, "list", "Every quota: used and limit",
        [](Session& session) { return Done(ListQuotas(session)); });
  }
  void AddGet(CLI::App& quota) {
    Add(quota, "get", "Some quotas by name",
        [this](Session& session) { return Done(GetQuotas(session, names_)); })
        ->add_option("name", names_, "Names of quotas")
        ->required();
  }
  void AddUsage(CLI::App& quota) {
    Add(quota, "usage", "How full quotas are, as bars", [this](Session& session) {
      return Done(ShowUsage(session, names_));
    })->add_option("name", names_, "Names of quotas; all when there is none");
  }
  void AddCheck(CLI::App& quota) {
    CLI::App* check =
        Add(quota, "check", "Would the Orders and Tickets of a file fit? Changes nothing",
            [this](Session& session) -> absl::StatusOr<ExitCode> {
              ASSIGN_OR_RETURN(const bool fits, CheckOrders(session, check_));
              return fits ? ExitCode::kOk : ExitCode::kDenied;
            });
    check->add_option("-f,--filename", check_.file, "YAML or JSON; - is standard input")
        ->required();
    check->add_option("--at", check_.at,
                      "Judge by the limits of another time: 2026-05-04T18:00:00Z, or +2h");
    check->add_option("--tickets", check_.tickets, "How many, instead of what an Order says")
        ->check(CLI::Range(0, 1'000'000));
  }
  void AddWatch(CLI::App& quota) {
    Add(quota, "watch", "What changes in quotas, as it happens, until Ctrl-C",
        [this](Session& session) { return Done(WatchQuotas(session, names_, stop_)); })
        ->add_option("name", names_, "Names of quotas; all when there is none");
  }
  void AddAllNamespaces(CLI::App* command) {
    command->add_flag("-A,--all-namespaces", all_namespaces_, "Of every namespace");
  }
  void AddOrders() {
    AddAllNamespaces(
        Add(app_, "orders", "What each order wants and has, and when its windows are",
            [this](Session& session) { return Done(ListOrders(session, all_namespaces_)); }));
  }
  void AddTickets() {
    CLI::App* tickets = Add(
        app_, "tickets", "Where each ticket stands, by whom it is claimed, when it ends",
        [this](Session& session) { return Done(ListTickets(session, order_, all_namespaces_)); });
    AddAllNamespaces(tickets);
    tickets->add_option("order", order_, "Only those of this order");
  }
  void AddPreview() {
    CLI::App* preview =
        Add(app_, "preview", "When the Orders of a file would hold tickets, and whether they fit",
            [this](Session& session) -> absl::StatusOr<ExitCode> {
              ASSIGN_OR_RETURN(const bool fits, PreviewOrders(session, preview_));
              return fits ? ExitCode::kOk : ExitCode::kDenied;
            });
    preview->add_option("-f,--filename", preview_.file, "YAML or JSON; - is standard input")
        ->required();
    preview->add_option("--windows", preview_.windows, "How many windows")
        ->check(CLI::Range(1, 100))
        ->capture_default_str();
    preview->add_option("--from", preview_.from,
                        "Windows from another time on: 2026-05-04T18:00:00Z, 2026-05-04, +7d");
  }
  void AddCalendar() {
    CLI::App* calendar =
        Add(app_, "calendar", "The windows of the orders that there are, as a table and a picture",
            [this](Session& session) {
              calendar_.all_namespaces = all_namespaces_;
              calendar_.order = order_;
              return Done(ShowCalendar(session, calendar_));
            });
    calendar->parse_complete_callback([this] { has_ics_ = true; });
    AddAllNamespaces(calendar);
    calendar->add_option("order", order_, "Only those of this order");
    calendar->add_option("--from", calendar_.from,
                         "2026-05-04T18:00:00Z, 2026-05-04 or +2h; default: now");
    calendar->add_option("--to", calendar_.to, "The same; default: 7 days after --from");
    calendar->add_option("--limit", calendar_.limit, "At most so many windows")
        ->check(CLI::Range(1, 10'000))
        ->capture_default_str();
  }
  void AddSkipNext() {
    CLI::App* skip = Add(app_, "skip-next", "Leaves out the next window of an order",
                         [this](Session& session) { return Done(SkipNextWindow(session, skip_)); });
    skip->add_option("order", skip_.order, "Name of the order")->required();
    skip->add_flag("--undo", skip_.undo, "Takes back what is left out next");
    skip->add_flag("--dry-run", skip_.dry_run, "Only says what it would do");
  }
  void AddPause() {
    Add(app_, "pause", "Lets orders make no tickets any more, until they are resumed",
        [this](Session& session) { return Done(SetPaused(session, names_, true)); })
        ->add_option("order", names_, "Names of orders")
        ->required();
    Add(app_, "resume", "Lets paused orders make tickets again",
        [this](Session& session) { return Done(SetPaused(session, names_, false)); })
        ->add_option("order", names_, "Names of orders")
        ->required();
  }
  void AddExplain() {
    CLI::App* explain = app_.add_subcommand(
        "explain", "What a pod or a ticket holds, what it waits for, why, and what would help");
    explain->require_subcommand(0, 1);
    explain->add_option("-f,--filename", explain_file_,
                        "Pods that do not exist yet, or what makes them: would they claim? YAML or "
                        "JSON; - is standard input");
    explain->callback([this, explain] {
      if (explain_file_.empty()) {
        return;
      }
      if (!explain->get_subcommands().empty()) {
        throw CLI::ValidationError("--filename", "takes the place of pod or ticket");
      }
      command_ = [this](Session& session) -> absl::StatusOr<ExitCode> {
        ASSIGN_OR_RETURN(const bool accepted, ExplainFile(session, explain_file_));
        return accepted ? ExitCode::kOk : ExitCode::kDenied;
      };
    });
    Add(*explain, "pod", "A pod that asks korder for room, or does not",
        [this](Session& session) { return Done(ExplainPodNow(session, names_.front())); })
        ->add_option("name", names_, "Name of the pod")
        ->required()
        ->expected(1);
    Add(*explain, "ticket", "A ticket",
        [this](Session& session) { return Done(ExplainTicketNow(session, names_.front())); })
        ->add_option("name", names_, "Name of the ticket")
        ->required()
        ->expected(1);
  }
  void AddVersion() {
    Add(app_, "version", "The version of this program", [](Session& session) {
      const Format format = session.options.style.format;
      if (format == Format::kJson || format == Format::kYaml) {
        json::Writer w;
        w.BeginObject();
        w.Key("version");
        w.String(runtime::Version());
        w.EndObject();
        session.io.out << Structured(w.Take(), format);
      } else {
        session.io.out << "korderctl " << runtime::Version() << "\n";
      }
      return ExitCode::kOk;
    });
  }
  void AddCompletion() {
    Add(app_, "completion", "A script that completes commands in your shell",
        [this](Session& session) {
          session.io.out << CompletionScript(shell_, program_);
          return ExitCode::kOk;
        })
        ->add_option("shell", shell_, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  }

  const std::string program_;
  const std::stop_token stop_;
  CLI::App app_;
  GlobalOptions options_;
  std::string output_ = "table";
  std::string timeout_ = "10s";
  bool no_color_ = false;
  bool verbose_ = false;
  std::vector<std::string> names_;
  std::string shell_;
  std::string order_;
  bool all_namespaces_ = false;
  bool has_ics_ = false;  // the command knows this format
  CheckOptions check_;
  PreviewOptions preview_;
  CalendarOptions calendar_;
  SkipOptions skip_;
  std::string explain_file_;
  Command command_;
};

int Code(ExitCode code) { return static_cast<int>(code); }

int Fail(const absl::Status& status, Io io) {
  io.err << "error: " << Message(status) << "\n";
  return Code(ToExitCode(status));
}

// The words after the program's name, and what may become of the last one.
int PrintCompletions(const CLI::App& app, const std::vector<std::string>& words, bool for_kubectl,
                     Io io) {
  for (const std::string& word : Complete(app, words)) {
    io.out << word << "\n";
  }
  if (for_kubectl) {
    io.out << ":0\n";  // the directive that ends every answer of a plug-in: nothing special
  }
  return Code(ExitCode::kOk);
}

// Nothing when the arguments were taken in; otherwise the exit code, after help or a complaint.
std::optional<int> Parse(CLI::App& app, const std::vector<std::string>& args,
                         const std::string& program, Io io) {
  std::vector<const char*> argv = {program.c_str()};
  for (const std::string& arg : args) {
    argv.push_back(arg.c_str());
  }
  try {
    app.parse(static_cast<int>(argv.size()), argv.data());
    return std::nullopt;
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) {  // --help and --version come here, too
      app.exit(e, io.out, io.err);
      return Code(ExitCode::kOk);
    }
    io.err << "error: " << e.what() << "; see: " << app.get_name() << " --help\n";
    return Code(ExitCode::kFailed);
  }
}

}  // namespace

int RunKorderctl(const std::vector<std::string>& args, const std::string& program, Io io,
                 const Screen& screen, Surroundings surroundings, const Clock& clock,
                 std::stop_token stop) {
  CommandLine line(program, std::move(stop));
  const bool for_kubectl = program == kPluginCompletion;
  if (for_kubectl || (!args.empty() && args.front() == "__complete")) {
    return PrintCompletions(line.app(), {args.begin() + (for_kubectl ? 0 : 1), args.end()},
                            for_kubectl, io);
  }
  if (const std::optional<int> code = Parse(line.app(), args, program, io)) {
    return *code;
  }
  if (!line.command()) {
    const std::vector<CLI::App*> chosen = line.app().get_subcommands();
    io.err << (chosen.empty() ? line.app().help() : chosen.front()->help(line.app().get_name()));
    return Code(ExitCode::kFailed);
  }
  if (const absl::Status bad = line.Finish(screen); !bad.ok()) {
    return Fail(bad, io);
  }
  log::Init({.level = line.verbose() ? log::Level::kDebug : log::Level::kError,
             .format = log::Format::kText,
             .service = "korderctl"});
  Connector connector(line.options(), std::move(surroundings));
  Session session{line.options(), io, clock, connector};
  const absl::StatusOr<ExitCode> code = line.command()(session);
  if (!code.ok()) {
    io.out.flush();
    return Fail(code.status(), io);
  }
  return io.out.flush() ? Code(*code)
                        : Fail(FailedPreconditionError("the output cannot be written"), io);
}

}  // namespace korder::cli
