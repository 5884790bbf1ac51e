#include "api/admin_views.hpp"

namespace agentdb9::api {
namespace {

using model::OperationState;
using model::WorkspaceStatus;

template <class T>
json::value or_null(const std::optional<T>& value) {
    return value ? json::value(*value) : json::value(nullptr);
}

json::value time_or_null(const std::optional<base::Time>& time) {
    return time ? json::value(base::format_time(*time)) : json::value(nullptr);
}

constexpr std::int64_t kMegabyte = 1024 * 1024;

void add(json::object& counts, std::string_view key, std::int64_t count) {
    auto& value = counts[key];
    value = (value.is_int64() ? value.get_int64() : 0) + count;
}

json::object workspaces_json(const std::vector<model::WorkspaceCount>& counts) {
    json::object by_status;
    for (const auto status :
         {WorkspaceStatus::kActive, WorkspaceStatus::kInactive, WorkspaceStatus::kArchived,
          WorkspaceStatus::kRunning, WorkspaceStatus::kStopped, WorkspaceStatus::kError})
        by_status[model::to_text(status)] = 0;
    json::object by_type;
    std::int64_t total = 0;
    std::int64_t deleting = 0;
    for (const auto& each : counts) {
        if (each.desired_state == model::DesiredState::kDeleted) {
            deleting += each.count;
            continue;
        }
        total += each.count;
        add(by_status, model::to_text(each.status), each.count);
        add(by_type, each.type, each.count);
    }
    return {{"total", total},
            {"deleting", deleting},
            {"byStatus", std::move(by_status)},
            {"byType", std::move(by_type)}};
}

// Each kind with all its outcomes, so that who reads it need not ask whether one is there.
json::object outcomes_json(const std::vector<model::OperationCount>& counts) {
    json::object kinds;
    for (const auto& each : counts) {
        auto& kind = kinds[model::to_text(each.kind)];
        if (!kind.is_object())
            kind = json::object{{model::to_text(OperationState::kSucceeded), 0},
                                {model::to_text(OperationState::kFailed), 0},
                                {model::to_text(OperationState::kSuperseded), 0}};
        add(kind.get_object(), model::to_text(each.state), each.count);
    }
    return kinds;
}

json::array failures_json(const std::vector<model::FailedOperation>& failures) {
    json::array rows;
    for (const auto& [operation, workspace, user] : failures)
        rows.push_back(json::object{{"id", operation.id.view()},
                                    {"kind", model::to_text(operation.kind)},
                                    {"workspaceId", operation.workspace_id.view()},
                                    {"workspaceName", or_null(workspace)},
                                    {"userEmail", or_null(user)},
                                    {"error", or_null(operation.error)},
                                    {"errorCode", or_null(operation.error_code)},
                                    {"finishedAt", time_or_null(operation.finished_at)}});
    return rows;
}

json::object operations_json(const services::Overview& overview) {
    json::object open;
    for (const auto& each : overview.numbers.open)
        add(open, model::to_text(each.kind), each.count);
    return {{"since", base::format_time(overview.since)},
            {"byKind", outcomes_json(overview.numbers.ended)},
            {"open", std::move(open)},
            {"failed", failures_json(overview.numbers.failed)}};
}

json::object engine_json(const services::Overview& overview) {
    if (!overview.engine)
        return {{"answers", false},      {"problem", overview.engine_problem},
                {"name", nullptr},       {"version", nullptr},
                {"apiVersion", nullptr}, {"cpus", nullptr},
                {"memory", nullptr}};
    const auto& engine = *overview.engine;
    return {{"answers", true},
            {"problem", nullptr},
            {"name", engine.name},
            {"version", engine.version},
            {"apiVersion", engine.api_version},
            {"cpus", engine.cpus},
            {"memory", engine.memory_bytes / kMegabyte}};
}

json::object server_json(const services::Overview& overview, const ServerSays& server) {
    // Those that work on workspaces just now, and this one.
    json::array servers;
    const auto row = [&](const std::optional<std::string>& name, bool current, std::int64_t workspaces) {
        servers.push_back(
            json::object{{"name", or_null(name)}, {"current", current}, {"workspaces", workspaces}});
    };
    std::int64_t own = 0;
    for (const auto& [name, count] : overview.numbers.leases)
        if (name == server.name) own = count;
    row(server.name, true, own);
    for (const auto& [name, count] : overview.numbers.leases)
        if (name != server.name && server.name) row(name, false, count);
    return {{"version", server.version},
            {"startedAt", base::format_time(server.started_at)},
            {"uptimeSeconds", server.uptime_seconds},
            {"servers", std::move(servers)}};
}

}  // namespace

json::object to_json(const model::UserSummary& summary) {
    auto view = to_json(summary.user);
    view.erase("preferences");
    view["lastSeenAt"] = time_or_null(summary.last_seen_at);
    view["workspaces"] = summary.workspaces;
    view["running"] = summary.running;
    view["projects"] = summary.projects;
    view["volumeBytes"] = or_null(summary.volume_bytes);
    view["quota"] = model::to_json(summary.quota);
    return view;
}

json::object to_json(const model::WorkspaceSummary& summary, model::Phase phase) {
    const auto& workspace = summary.workspace;
    return {{"id", workspace.id.view()},
            {"name", workspace.name},
            {"type", workspace.type},
            {"userId", workspace.user_id.view()},
            {"userEmail", or_null(summary.user_email)},
            {"status", model::to_text(workspace.status)},
            {"phase", model::to_text(phase)},
            {"lastError", or_null(workspace.last_error)},
            {"createdAt", base::format_time(workspace.created_at)},
            {"updatedAt", base::format_time(workspace.updated_at)}};
}

json::object to_json(const services::Overview& overview, const ServerSays& server) {
    const auto& numbers = overview.numbers;
    const auto version = server.database.substr(0, server.database.find(','));
    return {{"server", server_json(overview, server)},
            {"database",
             json::object{{"kind", server.on_postgresql ? "postgresql" : "sqlite"}, {"version", version}}},
            {"engine", engine_json(overview)},
            {"users",
             json::object{
                 {"total", numbers.users}, {"active", numbers.active_users}, {"admins", numbers.admins}}},
            {"workspaces", workspaces_json(numbers.workspaces)},
            {"running", json::object{{"workspaces", overview.reserved.workspaces},
                                     {"cpus", overview.reserved.cpus},
                                     {"memory", overview.reserved.memory_mb},
                                     {"ofUnknownType", overview.reserved.of_unknown_type}}},
            {"starts", json::object{{"queued", server.starts_queued},
                                    {"inProgress", server.starts_in_progress},
                                    {"limit", server.starts_limit}}},
            {"operations", operations_json(overview)},
            {"projects", numbers.projects},
            {"volumes", json::object{{"projects", numbers.project_volumes},
                                     {"homes", numbers.homes},
                                     {"trash", numbers.trash},
                                     {"bytes", numbers.volume_bytes}}}};
}

}  // namespace agentdb9::api
