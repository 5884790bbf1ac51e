// What the reconciler records of applications that end by themselves or do not answer any more.
#include <algorithm>

#include "model/health.hpp"
#include "model/life_event.hpp"
#include "services/journal.hpp"
#include "services/journal_rows.hpp"

namespace agentdb9::services {

using model::LifeEvent;
using model::LifeEventKind;
using model::Operation;
using model::OperationKind;
using model::OperationState;
using store::Transaction;

namespace {

bool tells_of(const LifeEvent& event, const Crash& crash) {
    const auto* instance = event.details.if_contains("instance");
    const auto* at = event.details.if_contains("engineTime");
    return instance != nullptr && *instance == json::value(crash.instance) && at != nullptr &&
           at->is_int64() && at->get_int64() == crash.death.at_ns;
}

void tell_crash(Transaction& tx, const base::WorkspaceId& workspace, const Crash& crash) {
    auto event = model::make_life_event(
        workspace, LifeEventKind::kCrashed, crash.heard_at, model::Actor{},
        "Its application " + model::describe_exit(crash.death.exit_code, crash.death.out_of_memory) +
            " without being asked to.");
    event.details = {{"instance", crash.instance},
                     {"engineTime", crash.death.at_ns},
                     {"exitCode", nullptr},
                     {"outOfMemory", crash.death.out_of_memory}};
    if (crash.death.exit_code) event.details["exitCode"] = *crash.death.exit_code;
    tx.life_events().insert(event);
}

}  // namespace

Task<std::optional<CrashRecord>> Journal::record_crashes(Job job, std::vector<Crash> crashes,
                                                         model::CrashRules rules) {
    const auto now = clock_.now();
    co_return co_await store_.write([=](Transaction& tx) -> std::optional<CrashRecord> {
        if (!reload_unchanged(tx, job)) return std::nullopt;
        const auto& id = job.workspace.id;
        CrashRecord record;
        for (const auto& crash : crashes) {
            if (crash.death.asked) continue;
            const auto known = tx.life_events().crashes(id, now - 2 * rules.window);
            const bool told =
                std::ranges::any_of(known, [&](const LifeEvent& event) { return tells_of(event, crash); });
            if (!told) tell_crash(tx, id, crash);
            record.last = crash.death;
        }
        std::vector<base::Time> times;
        for (const auto& event : tx.life_events().crashes(id, now - rules.window))
            times.push_back(event.at);
        record.recent = model::recent_crashes(times, now, rules);
        return record;
    });
}

Task<std::optional<Job>> Journal::tell_health(Job job, std::optional<std::string> illness) {
    const auto now = clock_.now();
    co_return co_await store_.write([=](Transaction& tx) -> std::optional<Job> {
        auto fresh = reload_unchanged(tx, job);
        if (!fresh) return std::nullopt;
        auto& workspace = fresh->workspace;
        if (workspace.unhealthy_since.has_value() == illness.has_value()) return fresh;
        workspace.unhealthy_since = illness ? std::optional(now) : std::nullopt;
        tx.workspaces().update(workspace);
        tx.life_events().insert(model::make_life_event(
            workspace.id, illness ? LifeEventKind::kUnhealthy : LifeEventKind::kHealthy, now, model::Actor{},
            illness.value_or("Its application answers again.")));
        return fresh;
    });
}

Task<std::optional<Job>> Journal::begin_restart(Job job, std::string why, model::RestartRules rules) {
    const auto now = clock_.now();
    co_return co_await store_.write([=](Transaction& tx) -> std::optional<Job> {
        auto fresh = reload_unchanged(tx, job);
        if (!fresh) return std::nullopt;
        auto& workspace = fresh->workspace;
        // Another server may have done so a moment ago.
        const model::Restarts made{workspace.restarts, workspace.restarted_at};
        if (model::decide_restart(made, now, rules).kind != model::RestartDecision::Kind::kRestart)
            return std::nullopt;
        const auto next = model::after_restart(made, now, rules);
        workspace.restarts = next.in_a_row;
        workspace.restarted_at = next.last;
        tx.workspaces().update(workspace);
        if (!fresh->operation) fresh->operation = insert_recovery(tx, workspace.id, now);
        auto event = model::make_life_event(workspace.id, LifeEventKind::kRestartedByServer, now,
                                            model::Actor{}, why + " The server restarts it.");
        event.operation_id = fresh->operation->id;
        event.details = {{"inARow", next.in_a_row}, {"most", rules.most}};
        tx.life_events().insert(event);
        return fresh;
    });
}

}  // namespace agentdb9::services
