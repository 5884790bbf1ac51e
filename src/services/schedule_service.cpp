#include "services/schedule_service.hpp"

#include "base/log.hpp"

namespace agentdb9::services {

using base::Error;
using model::DesiredState;
using model::LifeEventKind;
using model::Workspace;
using store::Transaction;

std::optional<model::Schedule> schedule_of(const Workspace& workspace) {
    if (!workspace.schedule) return std::nullopt;
    std::string problem;
    return model::read_schedule(*workspace.schedule, problem);
}

namespace {

// A clock that was ahead by more has been set back; servers differ by less.
constexpr std::chrono::hours kAhead{1};
// Whoever keeps a workspace on for a while, again and again, is warned no sooner again.
constexpr std::chrono::hours kWarnAgain{1};

// When its schedule stops it next: one that was due waits for the lease's end.
std::optional<base::Time> next_stop(const Workspace& workspace, const model::Schedule& schedule,
                                    base::Time now) {
    if (workspace.desired_state != DesiredState::kRunning) return std::nullopt;
    const auto& kept = workspace.keep_alive_until;
    const auto due = workspace.schedule_seen_at
                         ? model::last_change(schedule, *workspace.schedule_seen_at, now)
                         : std::nullopt;
    if (due && !due->start) return kept && *kept > now ? kept : std::nullopt;
    auto stop = model::next_change(schedule, now, false);
    if (stop && kept && *kept > *stop) stop = kept;
    return stop;
}

}  // namespace

void ScheduleService::start() {
    scope_.spawn("start and stop by the clock", run());
}

Task<> ScheduleService::stop() {
    co_await scope_.close();
}

Task<> ScheduleService::run() {
    for (;;) {
        try {
            co_await round();
        } catch (const Error& error) {
            log::warning("schedules are looked at later", {{"reason", error.what()}});
        }
        co_await clock_.sleep_for(check_);
    }
}

Task<> ScheduleService::round() {
    const auto scheduled = co_await store_.read([](Transaction& tx) { return tx.workspaces().scheduled(); });
    for (const auto& workspace : scheduled) {
        const auto schedule = schedule_of(workspace);
        if (!schedule) continue;
        std::optional<Error> failure;
        try {
            co_await make_change(workspace, *schedule);
            co_await warn(workspace, *schedule);
        } catch (const Error& error) {
            failure = error;
        }
        if (failure) {
            log::warning("a schedule is followed later",
                         {{"workspaceId", workspace.id.view()}, {"reason", failure->what()}});
        }
    }
}

// That it was made is written in the same transaction, so that no server makes it twice, and none forgets it.
Task<> ScheduleService::make_change(Workspace workspace, model::Schedule schedule) {
    const auto now = clock_.now();
    // One that came back from the trash: what lies before that is not made up for.
    if (!workspace.schedule_seen_at) co_return co_await leave_out(workspace.id, std::nullopt, {});
    const auto since = *workspace.schedule_seen_at;
    if (since > now + kAhead) co_return co_await leave_out(workspace.id, since, {});
    const auto change = model::last_change(schedule, since, now);
    if (!change) co_return;
    const bool runs = workspace.desired_state == DesiredState::kRunning;
    const bool kept = workspace.keep_alive_until && *workspace.keep_alive_until > now;
    // Who asked to keep it on has it until then.
    if (!change->start && runs && kept) co_return;
    if (change->start == runs) co_return co_await leave_out(workspace.id, since, {});
    if (change->start && !co_await may_sign_in(workspace.user_id))
        co_return co_await leave_out(workspace.id, since, {});
    RequestOptions options;
    options.respond_async = true;
    options.by = model::Actor{};
    options.cause = RequestOptions::Cause{
        .kind = change->start ? LifeEventKind::kStartRequested : LifeEventKind::kStopRequested,
        .why = std::string("Its schedule ") + (change->start ? "starts" : "stops") + " it at " +
               base::format_time(change->at) + "."};
    options.only_if = [seen = workspace.schedule_seen_at, schedule = workspace.schedule, now,
                       start = change->start](Transaction&, Workspace& row) {
        if (row.schedule_seen_at != seen || row.schedule != schedule) return false;
        // Somebody may have asked to keep it on since the round began.
        if (!start && row.keep_alive_until && *row.keep_alive_until > now) return false;
        row.schedule_seen_at = now;
        return true;
    };
    std::optional<Error> refusal;
    try {
        if (change->start) {
            co_await containers_.start_workspace(workspace.user_id, workspace.id, std::move(options));
        } else {
            co_await containers_.stop_workspace(workspace.user_id, workspace.id, std::move(options));
        }
    } catch (const Error& error) {
        if (error.code() == base::ErrorCode::kUnavailable || error.code() == base::ErrorCode::kTimeout) throw;
        refusal = error;
    }
    if (!refusal || refusal->word() == "not_wanted_any_more") co_return;
    co_await leave_out(workspace.id, since,
                       std::string("Its schedule could not ") + (change->start ? "start" : "stop") +
                           " it: " + refusal->message());
}

Task<> ScheduleService::warn(Workspace workspace, model::Schedule schedule) {
    const auto now = clock_.now();
    const auto stop_at = next_stop(workspace, schedule, now);
    if (!stop_at || *stop_at <= now || *stop_at - now > warning_) co_return;
    const bool warned = co_await store_.write([=](Transaction& tx) {
        const auto row = tx.workspaces().find(workspace.id);
        if (!row || row->desired_state != DesiredState::kRunning || row->schedule != workspace.schedule ||
            next_stop(*row, schedule, now) != stop_at)
            return false;
        const auto text = base::format_time(*stop_at);
        const auto last = tx.life_events().latest(row->id, LifeEventKind::kScheduleWarning);
        const auto* told = last ? last->details.if_contains("stopAt") : nullptr;
        if (told != nullptr && told->is_string() && told->get_string() == text) return false;
        const bool kept = row->keep_alive_until && *row->keep_alive_until > now;
        if (kept && last && now - last->at < kWarnAgain && last->at <= now) return false;
        auto event = model::make_life_event(
            row->id, LifeEventKind::kScheduleWarning, now, model::Actor{},
            "Its schedule stops it at " + text + ", unless somebody keeps it alive for longer.");
        event.details["stopAt"] = text;
        tx.life_events().insert(event);
        return true;
    });
    if (warned && listener_) listener_(workspace.id);
}

// Whoever may not sign in could not stop what was started for them.
Task<bool> ScheduleService::may_sign_in(base::UserId user) {
    co_return co_await store_.read([user](Transaction& tx) {
        const auto row = tx.users().find(user);
        return row && row->is_active;
    });
}

// The change is over, whatever came of it.
Task<> ScheduleService::leave_out(base::WorkspaceId id, std::optional<base::Time> seen, std::string why) {
    const auto now = clock_.now();
    co_await store_.write([=](Transaction& tx) {
        auto row = tx.workspaces().find(id);
        if (!row || row->schedule_seen_at != seen) return;
        row->schedule_seen_at = now;
        tx.workspaces().update(*row);
        if (why.empty()) return;
        tx.life_events().insert(model::make_life_event(id, LifeEventKind::kFailed, now, model::Actor{}, why));
    });
}

}  // namespace agentdb9::services
