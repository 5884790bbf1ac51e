#include "services/usage_service.hpp"

#include "base/error.hpp"

namespace agentdb9::services {

Task<runtime::Usage> UsageService::now(base::UserId user, base::WorkspaceId workspace) {
    const auto instance = co_await finder_.current(workspace, user);
    std::optional<runtime::Usage> usage;
    if (instance && model::holds_volumes(instance->state)) {
        try {
            usage = co_await monitoring_.usage(instance->id);
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
