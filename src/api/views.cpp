#include "api/views.hpp"

namespace agentdb9::api {
namespace {

json::value or_null(const std::optional<std::string>& text) {
    return text ? json::value(*text) : json::value(nullptr);
}

json::value or_null(const std::optional<base::Time>& time) {
    return time ? json::value(base::format_time(*time)) : json::value(nullptr);
}

template <class Tag>
json::value or_null(const std::optional<base::Id<Tag>>& id) {
    return id ? json::value(id->view()) : json::value(nullptr);
}

json::value queue_json(const std::optional<model::QueuePlace>& queue) {
    if (!queue) return nullptr;
    return json::object{{"position", queue->position}, {"of", queue->of}, {"reason", queue->reason}};
}

// Who may write may read. Everything is more than a list of scopes could say.
json::value scopes_json(model::TokenPower power) {
    switch (power) {
        case model::TokenPower::kRead:
            return json::array{"read"};
        case model::TokenPower::kWrite:
            return json::array{"read", "write"};
        case model::TokenPower::kFull:
            return nullptr;
    }
    return json::array{"read"};
}

}  // namespace

json::object to_json(const model::User& user) {
    return {{"id", user.id.view()},
            {"email", user.email},
            {"username", user.username},
            {"firstName", or_null(user.first_name)},
            {"lastName", or_null(user.last_name)},
            {"isActive", user.is_active},
            {"role", model::to_text(user.role)},
            {"preferences", user.preferences},
            {"lastLoginAt", or_null(user.last_login_at)},
            {"createdAt", base::format_time(user.created_at)},
            {"updatedAt", base::format_time(user.updated_at)}};
}

json::object to_json(const model::Project& project) {
    return {{"id", project.id.view()},
            {"name", project.name},
            {"description", or_null(project.description)},
            {"userId", project.user_id.view()},
            {"repositoryUrl", or_null(project.repository_url)},
            {"localPath", or_null(project.local_path)},
            {"framework", or_null(project.framework)},
            {"language", project.language},
            {"status", project.status},
            {"agents", project.agents},
            {"workspaceId", or_null(project.workspace_id)},
            {"workspaceType", or_null(project.workspace_type)},
            {"volumePath", or_null(project.volume_path)},
            {"volumeName", or_null(project.volume_name)},
            {"createdAt", base::format_time(project.created_at)},
            {"updatedAt", base::format_time(project.updated_at)}};
}

json::object to_json(const model::Workspace& workspace, model::Phase phase) {
    return {{"id", workspace.id.view()},
            {"name", workspace.name},
            {"description", or_null(workspace.description)},
            {"userId", workspace.user_id.view()},
            {"type", workspace.type},
            {"currentProjectId", or_null(workspace.current_project_id)},
            {"config", workspace.config},
            {"status", model::to_text(workspace.status)},
            {"phase", model::to_text(phase)},
            {"lastError", or_null(workspace.last_error)},
            {"containerName", or_null(workspace.container_name)},
            {"volumeName", or_null(workspace.volume_name)},
            {"isDefault", workspace.is_default},
            {"wakeOnRequest", workspace.wake_on_request},
            {"idleStopMinutes",
             workspace.idle_stop_minutes ? json::value(*workspace.idle_stop_minutes) : json::value(nullptr)},
            {"schedule", workspace.schedule ? json::value(*workspace.schedule) : json::value(nullptr)},
            {"resourceLimits",
             workspace.limits.empty() ? json::value(nullptr) : model::to_json(workspace.limits)},
            {"createdAt", base::format_time(workspace.created_at)},
            {"updatedAt", base::format_time(workspace.updated_at)}};
}

json::object to_json(const model::Operation& operation) {
    return {{"id", operation.id.view()},
            {"workspaceId", operation.workspace_id.view()},
            {"kind", model::to_text(operation.kind)},
            {"state", model::to_text(operation.state)},
            {"phase", operation.phase},
            {"progress", operation.progress ? json::value(*operation.progress) : json::value(nullptr)},
            {"queue", queue_json(operation.queue)},
            {"error", or_null(operation.error)},
            {"errorCode", or_null(operation.error_code)},
            {"requestedBy", or_null(operation.requested_by)},
            {"projectId", or_null(operation.project_id)},
            {"force", operation.force},
            {"createdAt", base::format_time(operation.created_at)},
            {"startedAt", or_null(operation.started_at)},
            {"finishedAt", or_null(operation.finished_at)}};
}

json::object to_json(const model::LifeEvent& event) {
    return {{"id", event.id.view()},
            {"workspaceId", event.workspace_id.view()},
            {"kind", model::to_text(event.kind)},
            {"at", base::format_time(event.at)},
            {"by", json::object{{"kind", model::to_text(event.actor)}, {"id", or_null(event.actor_id)}}},
            {"why", event.why},
            {"operationId", or_null(event.operation_id)},
            {"details", event.details}};
}

json::object to_json(const model::ProjectOperation& operation) {
    return {{"id", operation.id.view()},
            {"projectId", operation.project_id.view()},
            {"kind", model::to_text(operation.kind)},
            {"state", model::to_text(operation.state)},
            {"phase", operation.phase},
            {"progress", operation.progress ? json::value(*operation.progress) : json::value(nullptr)},
            {"error", or_null(operation.error)},
            {"errorCode", or_null(operation.error_code)},
            {"requestedBy", or_null(operation.requested_by)},
            {"backupId", or_null(operation.backup_id)},
            {"newProjectId", or_null(operation.new_project_id)},
            {"createdAt", base::format_time(operation.created_at)},
            {"startedAt", or_null(operation.started_at)},
            {"finishedAt", or_null(operation.finished_at)}};
}

json::object to_json(const model::Backup& backup) {
    return {{"id", backup.id.view()},
            {"projectId", backup.project_id.view()},
            {"projectName", backup.project_name},
            {"name", or_null(backup.name)},
            {"state", model::to_text(backup.state)},
            {"sizeBytes", backup.size_bytes},
            {"contentBytes", backup.content_bytes},
            {"files", backup.files},
            {"sha256", backup.sha256.empty() ? json::value(nullptr) : json::value(backup.sha256)},
            {"consistent", backup.consistent},
            {"scheduled", backup.scheduled},
            {"createdAt", base::format_time(backup.created_at)},
            {"finishedAt", or_null(backup.finished_at)},
            {"error", or_null(backup.error)}};
}

json::object to_json(const model::WorkspaceType& type, bool available) {
    json::object env;
    for (const auto& [name, value] : type.env)
        env[name] = value;
    return {{"type", type.type},
            {"name", type.name},
            {"description", type.description},
            {"icon", type.icon},
            {"containerImage", type.container_image},
            {"defaultPort", type.default_port},
            {"command", type.command ? json::value_from(*type.command) : json::value(nullptr)},
            {"env", std::move(env)},
            {"stripPrefix", type.strip_prefix},
            {"mcpTools", json::value_from(type.mcp_tools)},
            {"supportedLanguages", json::value_from(type.supported_languages)},
            {"features", json::value_from(type.features)},
            {"homePath", or_null(type.home_path)},
            {"resourceLimits", model::to_json(type.resource_limits)},
            {"maximumLimits", model::to_json(model::most_of(type.resource_limits, type.maximum_limits))},
            {"healthCheck",
             {{"enabled", type.health_check.enabled},
              {"path", type.health_check.path},
              {"interval", type.health_check.interval.count()},
              {"timeout", type.health_check.timeout.count()},
              {"retries", type.health_check.retries},
              {"restart", type.health_check.restart}}},
            {"idleStopMinutes", static_cast<double>(type.idle_stop.count()) / 60.0},
            {"available", available}};
}

json::object to_json(const model::ApiToken& token) {
    return {{"id", token.id.view()},
            {"name", token.name},
            {"hint", token.hint},
            {"createdAt", base::format_time(token.created_at)},
            {"expiresAt", or_null(token.expires_at)},
            {"lastUsedAt", or_null(token.last_used_at)},
            {"scopes", scopes_json(token.power)},
            {"workspaceId", or_null(token.workspace_id)}};
}

json::object to_json(const model::Tombstone& tombstone) {
    return {{"id", tombstone.id.view()},
            {"kind", model::to_text(tombstone.kind)},
            {"name", tombstone.owner_name},
            {"ownerId", tombstone.owner_id},
            {"userId", tombstone.user_id.view()},
            {"volumeName", tombstone.volume_name},
            {"deletedAt", base::format_time(tombstone.deleted_at)},
            {"purgeAfter", base::format_time(tombstone.purge_after)}};
}

json::object to_json(const model::Instance& instance) {
    return {{"id", instance.id},
            {"name", instance.name},
            {"state", model::to_text(instance.state)},
            {"image", instance.image},
            {"generation", instance.generation},
            {"volumes", json::value_from(instance.volumes)},
            {"createdAt", or_null(instance.created_at)}};
}

json::value last_exit(const std::optional<model::LifeEvent>& crash) {
    if (!crash) return nullptr;
    const auto detail = [&](std::string_view key) {
        const auto* value = crash->details.if_contains(key);
        return value != nullptr ? *value : json::value(nullptr);
    };
    return json::object{{"at", base::format_time(crash->at)},
                        {"exitCode", detail("exitCode")},
                        {"outOfMemory", detail("outOfMemory")}};
}

}  // namespace agentdb9::api
