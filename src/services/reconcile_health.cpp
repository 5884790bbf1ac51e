// What a pass does about an application that ends by itself, or does not answer any more.
#include <algorithm>

#include "services/reconcile_pass.hpp"

namespace agentdb9::services {

using base::Error;
using base::ErrorCode;
using model::DesiredState;
using model::InstanceHealth;
using model::InstanceState;
using model::OperationKind;
using model::RestartDecision;

namespace {

std::string crash_sentence(const CrashRecord& record, const model::CrashRules& rules) {
    return "The application ended by itself " + std::to_string(record.recent) + " times within " +
           std::to_string(rules.window.count()) + " minutes; the last time it " +
           model::describe_exit(record.last.exit_code, record.last.out_of_memory) + ". " +
           (record.last.out_of_memory
                ? "Give it more memory, or let it need less, then start the workspace again."
                : "Look at its log for the reason, then start the workspace again.");
}

std::string illness_of(const model::Instance& instance, int retries) {
    if (instance.health == InstanceHealth::kUnhealthy)
        return "The health check of its image says that it is unhealthy.";
    return "Its application did not answer " + std::to_string(retries) +
           (retries == 1 ? " time." : " times in a row.");
}

}  // namespace

bool is_final(const Error& error) {
    return error.word() == "crash_loop" || error.word() == "application_unhealthy";
}

bool is_ill(const Worker& worker, const model::Instance& instance) {
    return instance.state == InstanceState::kRunning &&
           (instance.health == InstanceHealth::kUnhealthy || worker.unhealthy.contains(instance.id));
}

bool Pass::is_well(const model::Instance& instance) const {
    return worker_.ready.contains(instance.id) && !is_ill(worker_, instance) &&
           instance.health != InstanceHealth::kStarting;
}

const model::Instance* Pass::at_work() const {
    const auto& workspace = job_->workspace;
    if (workspace.desired_state != DesiredState::kRunning || workspace.next_generation) return nullptr;
    if (job_->operation && job_->operation->kind != OperationKind::kRecover) return nullptr;
    const auto serving = tools_.routes.serving(worker_.id);
    const model::Instance* found = nullptr;
    for (const auto& each : instances_) {
        if (each.generation != workspace.generation || each.state != InstanceState::kRunning) continue;
        if (found == nullptr || each.id == serving) found = &each;
    }
    return found;
}

bool Pass::heals_itself() const {
    const auto* type = tools_.catalogue.find(job_->workspace.type);
    return type != nullptr && type->health_check.enabled && type->health_check.restart &&
           at_work() != nullptr;
}

bool Pass::needs_leader() const {
    if (job_->workspace.desired_state != DesiredState::kRunning) return false;
    if (!worker_.crashes.empty()) return true;
    const auto* instance = at_work();
    if (instance == nullptr) return false;
    if (is_ill(worker_, *instance)) {
        const bool waits = worker_.restart_at && *worker_.restart_at > tools_.clock.steady_now();
        return !job_->workspace.unhealthy_since || (heals_itself() && !waits);
    }
    // Only who saw it unhealthy says so: servers that differ would contradict one another without an end.
    return worker_.recovered && job_->workspace.unhealthy_since && is_well(*instance);
}

Task<> Pass::record_crashes() {
    auto crashes = std::exchange(worker_.crashes, {});
    if (crashes.empty() || job_->workspace.desired_state != DesiredState::kRunning) co_return;
    std::optional<CrashRecord> record;
    std::exception_ptr failure;
    try {
        record = co_await tools_.journal.record_crashes(*job_, crashes, tools_.options.crashes);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        // They are told by the next pass.
        worker_.crashes.insert(worker_.crashes.begin(), crashes.begin(), crashes.end());
        std::rethrow_exception(failure);
    }
    const bool asked_for = job_->operation && job_->operation->kind != OperationKind::kRecover;
    const auto* type = tools_.catalogue.find(job_->workspace.type);
    const bool left_alone = type == nullptr || !type->health_check.restart;
    if (!record || asked_for || left_alone || record->recent < tools_.options.crashes.most) co_return;
    throw Error(ErrorCode::kUpstream, "crash_loop", crash_sentence(*record, tools_.options.crashes));
}

Task<bool> Pass::look_after_health(model::Observed& observed) {
    worker_.restart_at.reset();
    worker_.recovered = false;
    const auto* instance = at_work();
    const auto* type = tools_.catalogue.find(job_->workspace.type);
    if (instance == nullptr || type == nullptr) co_return true;
    const auto retries = type->health_check.retries;
    const bool ill = is_ill(worker_, *instance);
    const auto& known = job_->workspace.unhealthy_since;
    if ((ill && !known) || (is_well(*instance) && known)) {
        auto told = co_await tools_.journal.tell_health(
            *job_, ill ? std::optional(illness_of(*instance, retries)) : std::nullopt);
        if (!told) co_return false;
        job_ = std::move(told);
    }
    if (!ill || !heals_itself()) co_return true;
    const auto& row = job_->workspace;
    const auto& rules = tools_.options.restarts;
    const auto decision = model::decide_restart({row.restarts, row.restarted_at}, tools_.clock.now(), rules);
    if (decision.kind == RestartDecision::Kind::kWait) {
        worker_.restart_at = tools_.clock.steady_now() + decision.wait;
        co_return true;
    }
    if (decision.kind == RestartDecision::Kind::kGiveUp) {
        throw Error(ErrorCode::kUpstream, "application_unhealthy",
                    illness_of(*instance, retries) + " The server restarted it " +
                        std::to_string(row.restarts) +
                        " times, which did not help, and has stopped it. Look at its log for the reason, "
                        "then start the workspace again.");
    }
    auto begun = co_await tools_.journal.begin_restart(*job_, illness_of(*instance, retries), rules);
    if (!begun) co_return false;
    job_ = std::move(begun);
    for (auto& each : observed.instances)
        each.restart = each.instance.id == instance->id;
    co_return true;
}

}  // namespace agentdb9::services
