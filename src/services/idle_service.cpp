#include "services/idle_service.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "services/access.hpp"

namespace agentdb9::services {

using base::Error;
using model::DesiredState;
using model::IdleVerdict;
using model::LifeEventKind;
using model::Workspace;
using store::Transaction;

namespace {

constexpr std::chrono::seconds kMeasureLimit{5};
// The history in which the last stop is looked for.
constexpr std::size_t kLookBack = 200;

void note(std::map<std::string, base::Time>& marks, std::string_view source, base::Time at) {
    auto& last = marks[std::string(source)];
    last = std::max(last, at);
}

std::string minutes_text(std::chrono::seconds time) {
    if (time < std::chrono::minutes(2)) return std::to_string(time.count()) + " seconds";
    return std::to_string(time.count() / 60) + " minutes";
}

bool is_stop(LifeEventKind kind) {
    return kind == LifeEventKind::kIdleStopped || kind == LifeEventKind::kStopRequested ||
           kind == LifeEventKind::kFailed;
}

}  // namespace

IdleService::IdleService(asio::any_io_executor executor, base::Clock& clock, store::Store& store,
                         const model::Catalogue& catalogue, RouteBook& routes,
                         runtime::Monitoring& monitoring, WorkspaceContainerService& containers,
                         IdleOptions options)
    : clock_(clock),
      store_(store),
      catalogue_(catalogue),
      routes_(routes),
      monitoring_(monitoring),
      containers_(containers),
      options_(options),
      scope_(std::move(executor)) {}

void IdleService::start() {
    scope_.spawn("stop what nobody uses", run());
}

Task<> IdleService::stop() {
    co_await scope_.close();
}

void IdleService::check_minutes(int minutes) const {
    if (auto problem = model::check_idle_minutes(minutes, options_.bounds); !problem.empty())
        throw base::invalid_field("idleStopMinutes", std::move(problem));
}

model::IdleRules IdleService::rules_of(const Workspace& workspace) const {
    const auto* type = catalogue_.find(workspace.type);
    model::IdleRules rules;
    rules.stop_after =
        model::idle_time(workspace.idle_stop_minutes,
                         type != nullptr ? type->idle_stop : std::chrono::seconds(0), options_.bounds);
    rules.warn_before = options_.warning;
    // Others note what they see once a round.
    if (store_.server_name()) rules.lag = options_.check + std::chrono::seconds(5);
    return rules;
}

IdleVerdict IdleService::judge(Transaction& tx, const Workspace& workspace, base::Time now) const {
    const auto marks = tx.activities().of_workspace(workspace.id);
    return model::judge_idleness({.last_activity = model::latest(marks),
                                  .keep_alive_until = workspace.keep_alive_until,
                                  .warned_at = workspace.idle_warned_at},
                                 now, rules_of(workspace));
}

Task<> IdleService::run() {
    for (;;) {
        co_await clock_.sleep_for(options_.check);
        try {
            co_await round();
        } catch (const Error& error) {
            log::warning("which workspaces nobody uses is looked at later", {{"reason", error.what()}});
        }
    }
}

Task<> IdleService::round() {
    const auto running =
        co_await store_.read([](Transaction& tx) { return tx.workspaces().wanted_running(); });
    std::erase_if(seen_, [&](const auto& each) {
        return std::ranges::find(running, each.first, &Workspace::id) == running.end();
    });
    for (const auto& workspace : running) {
        if (rules_of(workspace).stop_after.count() == 0) continue;
        std::optional<Error> failure;
        try {
            co_await look_at(workspace);
        } catch (const Error& error) {
            failure = error;
        }
        if (failure) {
            log::debug("a workspace's use is looked at later",
                       {{"workspaceId", workspace.id.view()}, {"reason", failure->what()}});
        }
    }
}

Task<> IdleService::look_at(Workspace workspace) {
    const auto id = workspace.id;
    // What serves is what is used; until something does, the start is its last activity.
    if (workspace.phase != model::Phase::kRunning) co_return;
    auto& seen = seen_[id];
    const auto instance = routes_.serving(id);
    if (instance != seen.instance) seen = {.instance = instance};
    // What this server saw counts whether the engine answers or not: another one judges by it, too.
    gather(id, seen);
    co_await write_down(id, seen);
    // Of what nothing is known no use would be seen.
    if (instance.empty() || !co_await measure(seen)) co_return;
    co_await write_down(id, seen);
    const auto now = clock_.now();
    const auto [verdict, last] = co_await store_.read([=, this](Transaction& tx) {
        const auto row = tx.workspaces().find(id);
        const bool runs = row && row->desired_state == DesiredState::kRunning;
        return std::pair(runs ? judge(tx, *row, now) : IdleVerdict(),
                         model::latest(tx.activities().of_workspace(id)));
    });
    if (!last) {
        // It ran before anything was noted: its time begins.
        note(seen.marks, model::kStartActivity, now);
        co_await write_down(id, seen);
        co_return;
    }
    if (verdict.kind == IdleVerdict::Kind::kWarn) co_await warn(id);
    if (verdict.kind == IdleVerdict::Kind::kStop) co_await stop_idle(std::move(workspace), *last);
}

// One call for each workspace that has an idle time, a round. An engine that does not answer tells nothing,
// and so stops nothing: what was measured before goes on from there.
Task<bool> IdleService::measure(Seen& seen) {
    const auto measured =
        co_await base::with_timeout(clock_, kMeasureLimit, monitoring_.counters(seen.instance));
    if (!measured) throw Error(base::ErrorCode::kTimeout, "runtime_timeout", "It was not measured in time.");
    const auto& now = *measured;
    if (now && seen.counters) {
        const auto use = model::compare_use(*seen.counters, *now, options_.thresholds);
        if (use.processor) note(seen.marks, model::kProcessorActivity, clock_.now());
        if (use.disk) note(seen.marks, model::kDiskActivity, clock_.now());
    }
    seen.counters = now;
    co_return std::exchange(seen.measured, true);
}

void IdleService::gather(const base::WorkspaceId& workspace, Seen& seen) const {
    const auto wall = clock_.now();
    const auto steady = clock_.steady_now();
    const auto take = [&](std::string_view source, const std::atomic<std::int64_t>& when) {
        const auto ms = when.load(std::memory_order_relaxed);
        if (ms == 0) return;
        const base::SteadyTime at{std::chrono::milliseconds(ms)};
        note(seen.marks, source,
             wall - std::chrono::duration_cast<base::Duration>(
                        std::max(steady - at, base::SteadyTime::duration(0))));
    };
    if (const auto use = routes_.use_of(routes_.serving(workspace))) {
        take(model::kRequestActivity, use->last_request_ms);
        take(model::kSocketActivity, use->last_frame_ms);
    }
    for (const auto* source : sources_)
        if (const auto at = source->last_activity(workspace)) note(seen.marks, source->name(), *at);
}

Task<> IdleService::write_down(base::WorkspaceId workspace, Seen& seen) {
    // What is told again of the same moment differs by what the clocks do.
    constexpr base::Duration kSame{1000};
    std::vector<model::ActivityMark> fresh;
    for (const auto& [source, at] : seen.marks) {
        const auto known = seen.written.find(source);
        if (known == seen.written.end() || at - known->second > kSame) fresh.push_back({source, at});
    }
    if (fresh.empty()) co_return;
    co_await store_.write([workspace, fresh](Transaction& tx) {
        if (!tx.workspaces().find(workspace)) return;
        for (const auto& mark : fresh)
            tx.activities().note(workspace, mark);
    });
    for (const auto& mark : fresh)
        seen.written[mark.source] = mark.at;
}

// Once, whichever server does it.
Task<> IdleService::warn(base::WorkspaceId id) {
    const auto now = clock_.now();
    const bool warned = co_await store_.write([=, this](Transaction& tx) {
        auto row = tx.workspaces().find(id);
        if (!row || row->desired_state != DesiredState::kRunning) return false;
        const auto verdict = judge(tx, *row, now);
        if (verdict.kind != IdleVerdict::Kind::kWarn) return false;
        row->idle_warned_at = now;
        tx.workspaces().update(*row);
        const auto stop_at = base::format_time(*verdict.stop_at);
        auto event = model::make_life_event(id, LifeEventKind::kIdleWarning, now, model::Actor{},
                                            "Nobody uses it: it will be stopped at " + stop_at +
                                                " unless somebody does until then, or keeps it alive.");
        event.details["stopAt"] = stop_at;
        tx.life_events().insert(event);
        return true;
    });
    if (warned && listener_) listener_(id);
}

Task<> IdleService::stop_idle(Workspace workspace, base::Time last) {
    const auto time = rules_of(workspace).stop_after;
    RequestOptions options;
    options.respond_async = true;
    options.by = model::Actor{};
    options.cause =
        RequestOptions::Cause{.kind = LifeEventKind::kIdleStopped,
                              .why = "Nobody has used it since " + base::format_time(last) +
                                     ", which is longer than its idle time of " + minutes_text(time) + "."};
    options.only_if = [this, now = clock_.now()](Transaction& tx, const Workspace& row) {
        return row.desired_state == DesiredState::kRunning && !tx.operations().open_of(row.id) &&
               judge(tx, row, now).kind == IdleVerdict::Kind::kStop;
    };
    std::optional<Error> refusal;
    try {
        co_await containers_.stop_workspace(workspace.user_id, workspace.id, std::move(options));
        log::info("a workspace that nobody uses is stopped", {{"workspaceId", workspace.id.view()}});
    } catch (const Error& error) {
        if (error.code() != base::ErrorCode::kConflict && error.code() != base::ErrorCode::kNotFound) throw;
        refusal = error;
    }
    if (refusal)
        log::debug("a workspace is not stopped after all",
                   {{"workspaceId", workspace.id.view()}, {"reason", refusal->what()}});
}

Task<Workspace> IdleService::keep_alive(base::UserId user, base::WorkspaceId id, std::chrono::seconds time,
                                        std::optional<model::Actor> by) {
    const auto now = clock_.now();
    auto kept = co_await store_.write([=](Transaction& tx) {
        auto row = owned_workspace(tx, user, id);
        if (row.desired_state != DesiredState::kRunning) {
            throw base::conflict(
                "workspace_not_running",
                "The workspace is not running, so there is nothing to keep on. Start it first.");
        }
        const bool had_one = row.keep_alive_until && *row.keep_alive_until > now;
        if (time.count() == 0) {
            row.keep_alive_until.reset();
        } else {
            row.keep_alive_until =
                had_one ? std::max<base::Time>(*row.keep_alive_until, now + time) : base::Time(now + time);
        }
        // One that is renewed every few minutes is told once, and so is what would be without it.
        if (!had_one || time.count() == 0) row.idle_warned_at.reset();
        tx.workspaces().update(row);
        if (!had_one && row.keep_alive_until) {
            auto event = model::make_life_event(
                id, LifeEventKind::kKeptAlive, now,
                by.value_or(model::Actor{model::ActorKind::kUser, row.user_id.str()}),
                "It is kept on until " + base::format_time(*row.keep_alive_until) + " at least, as asked.");
            event.details["until"] = base::format_time(*row.keep_alive_until);
            tx.life_events().insert(event);
        }
        return row;
    });
    if (listener_) listener_(id);
    co_return kept;
}

Task<ActivityReport> IdleService::activity(base::UserId user, base::WorkspaceId id) {
    const auto now = clock_.now();
    ActivityReport report = co_await store_.read([=](Transaction& tx) {
        ActivityReport found{.workspace = owned_workspace(tx, user, id)};
        found.marks = tx.activities().of_workspace(id);
        for (auto& event : tx.life_events().of_workspace(id, {.limit = kLookBack, .cursor = {}}).rows) {
            if (!is_stop(event.kind)) continue;
            found.last_stop = std::move(event);
            break;
        }
        return found;
    });
    // What this server has seen since it last wrote it down.
    Seen seen;
    gather(id, seen);
    for (const auto& [source, at] : seen.marks) {
        const auto known = std::ranges::find(report.marks, source, &model::ActivityMark::source);
        if (known == report.marks.end()) {
            report.marks.push_back({source, at});
        } else {
            known->at = std::max(known->at, at);
        }
    }
    std::ranges::sort(report.marks, std::ranges::greater(), &model::ActivityMark::at);
    const auto rules = rules_of(report.workspace);
    report.idle_time = rules.stop_after;
    if (report.workspace.desired_state == DesiredState::kRunning) {
        report.verdict = model::judge_idleness({.last_activity = model::latest(report.marks),
                                                .keep_alive_until = report.workspace.keep_alive_until,
                                                .warned_at = report.workspace.idle_warned_at},
                                               now, rules);
    }
    co_return report;
}

}  // namespace agentdb9::services
