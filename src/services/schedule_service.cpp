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
    const auto change = model::last_change(schedule, since, now);
    if (!change) co_return;
    const bool runs = workspace.desired_state == DesiredState::kRunning;
    const bool kept = workspace.keep_alive_until && *workspace.keep_alive_until > now;
    // Who asked to keep it on has it until then.
    if (!change->start && runs && kept) co_return;
    if (change->start == runs) co_return co_await leave_out(workspace.id, since, {});
    RequestOptions options;
    options.respond_async = true;
    options.by = model::Actor{};
    options.cause = RequestOptions::Cause{
        .kind = change->start ? LifeEventKind::kStartRequested : LifeEventKind::kStopRequested,
        .why = std::string("Its schedule ") + (change->start ? "starts" : "stops") + " it at " +
               base::format_time(change->at) + "."};
    options.only_if = [seen = workspace.schedule_seen_at, schedule = workspace.schedule, now](
                          Transaction&, Workspace& row) {
        if (row.schedule_seen_at != seen || row.schedule != schedule) return false;
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
