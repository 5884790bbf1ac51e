#include "services/cleaning_service.hpp"

#include <algorithm>

#include "base/json.hpp"
#include "base/log.hpp"

namespace agentdb9::services {

using base::Error;
using model::CleaningItem;
using model::CleaningOutcome;
using model::Duty;
using model::DutyReport;
using store::Transaction;

namespace {

constexpr std::chrono::minutes kRound{1};
constexpr std::chrono::seconds kPatience{30};
constexpr base::Duration kAskAgain{200};
// Who has not finished by then never will: a removal takes five minutes at most, but there may be many.
constexpr std::chrono::minutes kLongestRun{15};
constexpr std::chrono::minutes kLongestFetch{360};
constexpr std::size_t kToldFailures = 20;

std::size_t index_of(Duty duty) {
    return static_cast<std::size_t>(duty);
}

std::string key_of(Duty duty) {
    return "cleaning." + std::string(model::to_text(duty));
}

std::string text_of(const json::object& row, std::string_view name) {
    const auto* value = row.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::size_t count_of(const json::object& row, std::string_view name) {
    const auto* value = row.if_contains(name);
    return value != nullptr && value->is_int64() && value->get_int64() > 0
               ? static_cast<std::size_t>(value->get_int64())
               : 0;
}

std::optional<DutyRun> read_run(Transaction& tx, Duty duty) {
    const auto text = tx.settings().get(key_of(duty));
    if (!text) return std::nullopt;
    const auto value = base::parse_json_or(*text, json::object());
    if (!value.is_object()) return std::nullopt;
    const auto& row = value.get_object();
    const auto started_at = base::parse_time(text_of(row, "startedAt"));
    if (!started_at) return std::nullopt;
    DutyRun run{.started_at = *started_at,
                .finished_at = base::parse_time(text_of(row, "finishedAt")),
                .by = text_of(row, "by"),
                .server = text_of(row, "server"),
                .done = count_of(row, "done"),
                .kept = count_of(row, "kept"),
                .failed = {},
                .problem = text_of(row, "problem")};
    const auto* failed = row.if_contains("failed");
    if (failed == nullptr || !failed->is_array()) return run;
    for (const auto& each : failed->get_array()) {
        if (!each.is_object()) continue;
        const auto& item = each.get_object();
        run.failed.push_back({.kind = text_of(item, "kind"),
                              .name = text_of(item, "name"),
                              .outcome = CleaningOutcome::kFailed,
                              .why = text_of(item, "why"),
                              .since = base::parse_time(text_of(item, "since"))});
    }
    return run;
}

void write_run(Transaction& tx, Duty duty, const DutyRun& run) {
    const auto time = [](const std::optional<base::Time>& at) {
        return at ? json::value(base::format_time(*at)) : json::value(nullptr);
    };
    json::array failed;
    for (const auto& item : run.failed)
        failed.push_back(json::object{
            {"kind", item.kind}, {"name", item.name}, {"why", item.why}, {"since", time(item.since)}});
    tx.settings().set(key_of(duty), base::to_text(json::object{{"startedAt", time(run.started_at)},
                                                               {"finishedAt", time(run.finished_at)},
                                                               {"by", run.by},
                                                               {"server", run.server},
                                                               {"done", run.done},
                                                               {"kept", run.kept},
                                                               {"failed", std::move(failed)},
                                                               {"problem", run.problem}}));
}

Error in_progress() {
    return base::conflict(
        "cleaning_in_progress",
        "Somebody else's cleaning goes on; try again in a minute. 'GET /api/admin/cleaning' "
        "shows what is being done.");
}

}  // namespace

// Held while something is put away.
class CleaningService::Turn {
  public:
    explicit Turn(CleaningService& service) : service_(service) { service_.busy_ = true; }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() {
        service_.busy_ = false;
        service_.running_.reset();
        service_.ended_.notify_all();
    }

  private:
    CleaningService& service_;
};

CleaningService::CleaningService(asio::any_io_executor executor, base::Clock& clock, store::Store& store,
                                 runtime::Runtime& runtime, runtime::VolumeFiles& files,
                                 DockerVolumeService& volumes, RouteBook& routes,
                                 const model::Catalogue& catalogue, model::CleaningSettings settings)
    : clock_(clock),
      store_(store),
      volumes_(volumes),
      settings_(settings),
      duties_(clock, store, runtime, files, volumes, routes, settings_),
      images_(clock, store, runtime, catalogue, settings_),
      ended_(executor),
      scope_(std::move(executor)) {}

void CleaningService::start() {
    started_ = true;
    scope_.spawn("put away by the clock", run());
}

Task<> CleaningService::stop() {
    co_await scope_.close();
}

Task<> CleaningService::run() {
    for (;;) {
        try {
            co_await round();
        } catch (const Error& error) {
            log::warning("cleaning goes on later", {{"reason", error.what()}});
        }
        co_await clock_.sleep_for(kRound);
    }
}

// The heartbeat first: a gap since the last one has to pause purging before anything is purged.
Task<> CleaningService::round() {
    co_await volumes_.heartbeat();
    for (const auto duty : model::kDuties) {
        if (duty == Duty::kPrefetch || !settings_.is_on(duty) || settings_.interval(duty).count() == 0)
            continue;
        // Who asked for one just now looks at all of them.
        if (busy_) co_return;
        const Turn turn(*this);
        co_await do_duty(duty, "schedule", true);
    }
    if (settings_.is_on(Duty::kPrefetch) && !fetching_) scope_.spawn("fetch images", fetch("schedule"));
}

// Takes as long as it takes: nothing waits for it.
Task<> CleaningService::fetch(std::string by) {
    if (std::exchange(fetching_, true)) co_return;
    const std::shared_ptr<void> ends(nullptr, [this](void*) { fetching_ = false; });
    try {
        co_await do_duty(Duty::kPrefetch, by, by == "schedule");
    } catch (const Error& error) {
        log::warning("images are fetched later", {{"reason", error.what()}});
    }
}

bool CleaningService::goes_on(Transaction& tx, Duty duty, const std::optional<DutyRun>& last,
                              base::Time now) const {
    // Where there is no other server, whoever asks has the turn: nobody else does anything.
    if (!last || last->finished_at || !store_.server_name()) return false;
    if (duty != Duty::kPrefetch) return std::chrono::abs(now - last->started_at) < kLongestRun;
    // It may take hours, but not for a server that is gone; two that fetch the same do no harm.
    return std::chrono::abs(now - last->started_at) < kLongestFetch && tx.leases().present(last->server);
}

bool CleaningService::is_due(Duty duty, const std::optional<DutyRun>& last, base::Time now) const {
    if (!last || last->started_at > now) return true;
    // Whoever began it did not come to its end.
    if (duty == Duty::kPrefetch && !last->finished_at) return true;
    // A server that is alone looks after everything when it begins.
    if (!store_.server_name() && !done_once_.at(index_of(duty))) return true;
    return now - last->started_at >= settings_.interval(duty);
}

Task<bool> CleaningService::claim(Duty duty, std::string by, base::Time now, bool only_if_due) {
    co_return co_await store_.write([=, this](Transaction& tx) {
        const auto last = read_run(tx, duty);
        if (goes_on(tx, duty, last, now)) return false;
        if (only_if_due && !is_due(duty, last, now)) return false;
        write_run(tx, duty,
                  DutyRun{.started_at = now,
                          .finished_at = {},
                          .by = by,
                          .server = store_.server_name().value_or(""),
                          .failed = {},
                          .problem = {}});
        return true;
    });
}

Task<> CleaningService::note(Duty duty, std::string by, base::Time started_at, const DutyReport& report) {
    DutyRun run{.started_at = started_at,
                .finished_at = clock_.now(),
                .by = std::move(by),
                .server = {},
                .done = report.count(CleaningOutcome::kDone),
                .kept = report.count(CleaningOutcome::kKept),
                .failed = {},
                .problem = report.problem};
    for (const auto& item : report.items) {
        if (item.outcome == CleaningOutcome::kFailed && run.failed.size() < kToldFailures)
            run.failed.push_back(item);
    }
    co_await store_.write([duty, run](Transaction& tx) { write_run(tx, duty, run); });
}

Task<std::vector<CleaningItem>> CleaningService::items_of(Duty duty, bool dry_run) {
    switch (duty) {
        case Duty::kVolumes:
            co_return co_await duties_.volumes(dry_run);
        case Duty::kContainers:
            co_return co_await duties_.containers(dry_run);
        case Duty::kFailed:
            co_return co_await duties_.failed_starts(dry_run);
        case Duty::kInactive:
            co_return co_await duties_.inactive(dry_run);
        case Duty::kImages:
            co_return co_await images_.prune(dry_run);
        case Duty::kPrefetch:
            co_return co_await images_.prefetch(dry_run);
    }
    co_return std::vector<CleaningItem>();
}

Task<DutyReport> CleaningService::carry_out(Duty duty, bool dry_run) {
    DutyReport report{.duty = duty, .items = {}, .problem = {}};
    try {
        report.items = co_await items_of(duty, dry_run);
    } catch (const Error& error) {
        report.problem = error.message();
        log::warning("a duty of cleaning is done later",
                     {{"duty", model::to_text(duty)}, {"reason", error.what()}});
    }
    co_return report;
}

Task<std::optional<DutyReport>> CleaningService::do_duty(Duty duty, std::string by, bool only_if_due) {
    const auto started_at = clock_.now();
    if (!co_await claim(duty, by, started_at, only_if_due)) co_return std::nullopt;
    if (duty != Duty::kPrefetch) running_ = duty;
    auto report = co_await carry_out(duty, false);
    done_once_.at(index_of(duty)) = true;
    co_await note(duty, std::move(by), started_at, report);
    co_return report;
}

Task<CleaningReport> CleaningService::clean(bool dry_run, std::string by) {
    CleaningReport result{.dry_run = dry_run, .paused_because = {}, .duties = {}};
    result.paused_because = co_await volumes_.purge_paused_because();
    const auto give_up_at = clock_.steady_now() + kPatience;
    std::optional<Turn> turn;
    if (!dry_run) {
        while (busy_) {
            const auto left = std::chrono::duration_cast<base::Duration>(give_up_at - clock_.steady_now());
            if (left.count() <= 0) throw in_progress();
            co_await base::with_timeout(clock_, left, ended_.wait());
        }
        turn.emplace(*this);
    }
    for (const auto duty : model::kDuties) {
        if (!settings_.is_on(duty)) continue;
        if (dry_run) {
            result.duties.push_back(co_await carry_out(duty, true));
            continue;
        }
        if (duty == Duty::kPrefetch) {
            auto report = co_await carry_out(duty, true);
            for (auto& item : report.items) {
                item.outcome = started_ ? CleaningOutcome::kBegun : CleaningOutcome::kKept;
                if (!started_) item.why += " A running server fetches it.";
            }
            if (started_ && !report.items.empty() && !fetching_) scope_.spawn("fetch images", fetch(by));
            result.duties.push_back(std::move(report));
            continue;
        }
        auto report = co_await do_duty(duty, by, false);
        // Another server does it just now.
        while (!report) {
            if (clock_.steady_now() >= give_up_at) throw in_progress();
            co_await clock_.sleep_for(kAskAgain);
            report = co_await do_duty(duty, by, false);
        }
        result.duties.push_back(std::move(*report));
    }
    co_return result;
}

Task<std::vector<DutyState>> CleaningService::states() {
    const auto runs = co_await store_.read([](Transaction& tx) {
        std::vector<std::optional<DutyRun>> found;
        for (const auto duty : model::kDuties)
            found.push_back(read_run(tx, duty));
        return found;
    });
    const auto now = clock_.now();
    std::vector<DutyState> states;
    for (const auto duty : model::kDuties) {
        DutyState state{.duty = duty,
                        .on = settings_.is_on(duty),
                        .every = settings_.interval(duty),
                        .running = duty == Duty::kPrefetch ? fetching_ : running_ == duty,
                        .last = runs.at(index_of(duty)),
                        .next_at = {}};
        if (state.on && state.every.count() > 0) {
            const base::Time next = state.last ? state.last->started_at + state.every : now;
            state.next_at = std::max(next, now);
        }
        states.push_back(std::move(state));
    }
    co_return states;
}

}  // namespace agentdb9::services
