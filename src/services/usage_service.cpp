#include "services/usage_service.hpp"

#include "base/error.hpp"

namespace agentdb9::services {
namespace {

constexpr std::size_t kMeasuredAtOnce = 32;
constexpr std::chrono::seconds kLimit{20};

}  // namespace

UsageService::UsageService(asio::any_io_executor executor, base::Clock& clock,
                           runtime::Monitoring& monitoring, const InstanceFinder& finder)
    : clock_(clock),
      monitoring_(monitoring),
      finder_(finder),
      places_(std::move(executor), kMeasuredAtOnce) {}

Task<std::optional<runtime::Usage>> UsageService::measure(std::string instance) {
    const auto place = co_await places_.enter();
    co_return co_await monitoring_.usage(std::move(instance));
}

Task<runtime::Usage> UsageService::now(base::UserId user, base::WorkspaceId workspace) {
    const auto instance = co_await finder_.current(workspace, user);
    std::optional<runtime::Usage> usage;
    if (instance && model::holds_volumes(instance->state)) {
        try {
            const auto measured = co_await base::with_timeout(clock_, kLimit, measure(instance->id));
            if (!measured) {
                throw base::Error(base::ErrorCode::kTimeout, "runtime_timeout",
                                  "The container engine did not measure this in time; follow it instead "
                                  "(container-stats/stream), or try again in a while.");
            }
            usage = *measured;
        } catch (const base::Error& error) {
            if (error.word() != "instance_not_found") throw;
        }
    }
    if (!usage)
        throw base::conflict("workspace_not_running",
                             "The workspace is not running, so it uses nothing. Start it first.");
    co_return *usage;
}

}  // namespace agentdb9::services
