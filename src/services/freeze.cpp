#include "services/freeze.hpp"

#include "base/error.hpp"
#include "base/log.hpp"

namespace agentdb9::services {

namespace {

constexpr std::chrono::seconds kLongest{60};
// What end() may still be doing then.
constexpr std::chrono::seconds kGrace{10};

}  // namespace

Task<> Freeze::begin() {
    active_ = true;
    until_ = clock_.steady_now() + kLongest;
    // Recorded first: reconcilers hear of the pause within moments.
    co_await store_.write(
        [id = operation_](store::Transaction& tx) { tx.project_operations().freeze(id, kLongest + kGrace); });
    for (const auto& instance : co_await runtime_.instances_on_volume(volume_)) {
        if (instance.state != model::InstanceState::kRunning) continue;
        paused_.push_back(instance.id);
        try {
            co_await runtime_.pause_instance(instance.id);
        } catch (const base::Error& error) {
            // It has just ended: nothing of it writes any more.
            if (error.code() != base::ErrorCode::kNotFound && error.word() != "instance_not_running") throw;
        }
    }
}

bool Freeze::over() const {
    return clock_.steady_now() >= until_;
}

Task<> Freeze::end() {
    if (!active_) co_return;
    active_ = false;
    for (const auto& id : paused_) {
        try {
            co_await runtime_.resume_instance(id);
        } catch (const base::Error& error) {
            log::warning("an instance is resumed later", {{"instance", id}, {"reason", error.what()}});
        }
    }
    paused_.clear();
    try {
        co_await store_.write([id = operation_](store::Transaction& tx) {
            tx.project_operations().freeze(id, std::chrono::milliseconds(0));
        });
    } catch (const base::Error& error) {
        log::warning("a project thaws by itself", {{"reason", error.what()}});
    }
}

}  // namespace agentdb9::services
