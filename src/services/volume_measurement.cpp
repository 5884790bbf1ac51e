#include "services/volume_measurement.hpp"

#include "base/log.hpp"

namespace agentdb9::services {

using store::Transaction;

namespace {

constexpr std::chrono::hours kEvery{1};
constexpr std::chrono::minutes kAgain{5};

}  // namespace

// What lies in the trash is nobody's use any more: it goes by itself.
Task<> VolumeMeasurement::measure() {
    const bool limited = of_all_.volume_bytes.value_or(0) > 0 || co_await store_.read([](Transaction& tx) {
        return tx.quotas().any_limits_volumes();
    });
    if (!limited) co_return;
    const auto sizes = co_await runtime_.volume_sizes();
    const auto now = clock_.now();
    co_await store_.write([sizes, now](Transaction& tx) {
        std::map<base::UserId, std::int64_t> bytes;
        const auto count = [&](const base::UserId& user, const std::optional<std::string>& volume) {
            const auto size = volume ? sizes.find(*volume) : sizes.end();
            bytes[user] += size == sizes.end() ? 0 : size->second;
        };
        for (const auto& project : tx.projects().all())
            count(project.user_id, project.volume_name);
        for (const auto& workspace : tx.workspaces().all())
            count(workspace.user_id, workspace.volume_name);
        tx.quotas().set_volume_use(bytes, now);
    });
}

Task<> VolumeMeasurement::run() {
    for (;;) {
        bool done = false;
        try {
            co_await measure();
            done = true;
        } catch (const base::Error& error) {
            log::warning("volumes are measured later", {{"reason", error.what()}});
        }
        co_await clock_.sleep_for(done ? std::chrono::minutes(kEvery) : kAgain);
    }
}

}  // namespace agentdb9::services
