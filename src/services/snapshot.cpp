#include "services/snapshot.hpp"

namespace agentdb9::services {
namespace {

json::value or_null(const std::optional<std::string>& text) {
    return text ? json::value(*text) : json::value(nullptr);
}

std::optional<std::string> text_of(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    if (value == nullptr || !value->is_string()) return std::nullopt;
    return std::string(value->get_string());
}

template <class Id>
std::optional<Id> id_of(const json::object& object, std::string_view key) {
    auto text = text_of(object, key);
    return text ? Id::parse(*text) : std::nullopt;
}

model::Time time_of(const json::object& object, std::string_view key) {
    auto text = text_of(object, key);
    return text ? base::parse_time(*text).value_or(model::Time()) : model::Time();
}

}  // namespace

json::object snapshot_of(const model::Project& project) {
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
            {"workspaceId", project.workspace_id ? json::value(project.workspace_id->view()) : nullptr},
            {"workspaceType", or_null(project.workspace_type)},
            {"volumePath", or_null(project.volume_path)},
            {"volumeName", or_null(project.volume_name)},
            {"createdAt", base::format_time(project.created_at)}};
}

json::object snapshot_of(const model::Workspace& workspace) {
    return {{"id", workspace.id.view()},
            {"name", workspace.name},
            {"description", or_null(workspace.description)},
            {"userId", workspace.user_id.view()},
            {"type", workspace.type},
            {"config", workspace.config},
            {"volumeName", or_null(workspace.volume_name)},
            {"wakeOnRequest", workspace.wake_on_request},
            {"idleStopMinutes",
             workspace.idle_stop_minutes ? json::value(*workspace.idle_stop_minutes) : json::value(nullptr)},
            {"schedule", workspace.schedule ? json::value(*workspace.schedule) : json::value(nullptr)},
            {"resourceLimits", model::to_json(workspace.limits)},
            {"lastGeneration", workspace.last_generation},
            {"createdAt", base::format_time(workspace.created_at)}};
}

std::optional<model::Project> project_from(const json::object& snapshot) {
    auto id = id_of<base::ProjectId>(snapshot, "id");
    auto user = id_of<base::UserId>(snapshot, "userId");
    auto name = text_of(snapshot, "name");
    if (!id || !user || !name) return std::nullopt;
    model::Project project{.id = *id, .name = *name, .user_id = *user};
    project.description = text_of(snapshot, "description");
    project.repository_url = text_of(snapshot, "repositoryUrl");
    project.local_path = text_of(snapshot, "localPath");
    project.framework = text_of(snapshot, "framework");
    project.language = text_of(snapshot, "language").value_or("");
    project.status = text_of(snapshot, "status").value_or("active");
    if (const auto* agents = snapshot.if_contains("agents"); agents != nullptr && agents->is_array()) {
        project.agents = agents->get_array();
    }
    project.workspace_id = id_of<base::WorkspaceId>(snapshot, "workspaceId");
    project.workspace_type = text_of(snapshot, "workspaceType");
    project.volume_path = text_of(snapshot, "volumePath");
    project.volume_name = text_of(snapshot, "volumeName");
    project.created_at = time_of(snapshot, "createdAt");
    return project;
}

std::optional<model::Workspace> workspace_from(const json::object& snapshot) {
    auto id = id_of<base::WorkspaceId>(snapshot, "id");
    auto user = id_of<base::UserId>(snapshot, "userId");
    auto name = text_of(snapshot, "name");
    auto type = text_of(snapshot, "type");
    if (!id || !user || !name || !type) return std::nullopt;
    model::Workspace workspace{.id = *id, .name = *name, .user_id = *user, .type = *type};
    workspace.description = text_of(snapshot, "description");
    if (const auto* config = snapshot.if_contains("config"); config != nullptr && config->is_object()) {
        workspace.config = config->get_object();
    }
    workspace.volume_name = text_of(snapshot, "volumeName");
    if (const auto* last = snapshot.if_contains("lastGeneration"); last != nullptr && last->is_int64()) {
        workspace.last_generation = last->get_int64();
    }
    // Of an earlier version it says nothing of that.
    if (const auto* wake = snapshot.if_contains("wakeOnRequest"); wake != nullptr && wake->is_bool()) {
        workspace.wake_on_request = wake->get_bool();
    }
    if (const auto* idle = snapshot.if_contains("idleStopMinutes"); idle != nullptr && idle->is_int64()) {
        workspace.idle_stop_minutes = static_cast<int>(idle->get_int64());
    }
    if (const auto* schedule = snapshot.if_contains("schedule");
        schedule != nullptr && schedule->is_object()) {
        workspace.schedule = schedule->get_object();
    }
    if (const auto* limits = snapshot.if_contains("resourceLimits"); limits != nullptr && limits->is_object())
        workspace.limits = model::some_limits_from(limits->get_object());
    workspace.created_at = time_of(snapshot, "createdAt");
    return workspace;
}

}  // namespace agentdb9::services
