#include "services/specs.hpp"

namespace agentdb9::services {
namespace {

std::string with_base_path(std::string text, const std::string& path) {
    constexpr std::string_view kPlaceholder = "{basePath}";
    for (std::size_t at = text.find(kPlaceholder); at != std::string::npos;
         at = text.find(kPlaceholder, at + path.size())) {
        text.replace(at, kPlaceholder.size(), path);
    }
    return text;
}

model::Target target_of(const model::InstanceSpec& spec) {
    model::Target target{
        .generation = spec.generation, .spec = model::spec_hash(spec), .volumes = {}, .limits = spec.limits};
    for (const auto& mount : spec.mounts)
        target.volumes.push_back(mount.volume);
    return target;
}

const model::WorkspaceType& type_of(const Job& job, const model::Catalogue& catalogue) {
    const auto* type = catalogue.find(job.workspace.type);
    if (type == nullptr) {
        throw base::conflict("workspace_type_unknown",
                             "The workspace type '" + job.workspace.type +
                                 "' is not configured on this server; ask its operator to add "
                                 "it under [workspaceTypes].");
    }
    return *type;
}

}  // namespace

std::string base_path(const base::WorkspaceId& workspace, int port) {
    return "/" + workspace.str() + "/" + std::to_string(port) + "/";
}

model::ResourceLimits limits_of(const model::Workspace& workspace, const model::WorkspaceType& type) {
    return model::in_force(workspace.limits, type.resource_limits, type.maximum_limits);
}

model::InstanceSpec make_spec(const model::Workspace& workspace, const model::Project& project,
                              const model::WorkspaceType& type, std::int64_t generation) {
    model::InstanceSpec spec{.workspace_id = workspace.id,
                             .user_id = workspace.user_id,
                             .project_id = project.id,
                             .workspace_type = type.type};
    const auto path = base_path(workspace.id, type.default_port);
    spec.generation = generation;
    spec.image = type.container_image;
    if (type.command) {
        spec.command.emplace();
        for (const auto& argument : *type.command)
            spec.command->push_back(with_base_path(argument, path));
    }
    for (const auto& [name, value] : type.env)
        spec.env[name] = with_base_path(value, path);
    spec.env["WORKSPACE_TYPE"] = type.type;
    spec.env["WORKSPACE_ID"] = workspace.id.str();
    spec.env["PROJECT_ID"] = project.id.str();
    spec.mounts.push_back(
        {project.volume_name.value_or(model::project_volume_name(project.id)), "/workspace"});
    if (type.home_path) {
        spec.mounts.push_back(
            {workspace.volume_name.value_or(model::home_volume_name(workspace.id)), *type.home_path});
    }
    spec.limits = limits_of(workspace, type);
    spec.type_limits = type.resource_limits;
    spec.port = type.default_port;
    return spec;
}

std::optional<std::string> probe_path(const base::WorkspaceId& workspace, const model::WorkspaceType& type) {
    if (!type.health_check.enabled) return std::nullopt;
    if (type.strip_prefix) return type.health_check.path;
    auto path = base_path(workspace, type.default_port);
    path.pop_back();
    return path + type.health_check.path;
}

const model::InstanceSpec* Wanted::spec_of(std::int64_t generation) const {
    if (next && next->generation == generation) return &*next;
    if (current && current->generation == generation) return &*current;
    return nullptr;
}

Wanted make_wanted(const Job& job, const model::Catalogue& catalogue) {
    const auto& workspace = job.workspace;
    Wanted wanted;
    wanted.desired.plain_name = model::instance_name(workspace.id);
    wanted.desired.last_generation = workspace.last_generation;
    switch (workspace.desired_state) {
        case model::DesiredState::kDeleted:
            wanted.desired.state = model::Desired::State::kDeleted;
            return wanted;
        case model::DesiredState::kStopped:
            wanted.desired.state = model::Desired::State::kStopped;
            // Which instance is kept for the next start; the rest of the target does not matter.
            if (workspace.current_project_id)
                wanted.desired.current = model::Target{.generation = workspace.generation};
            return wanted;
        case model::DesiredState::kRunning:
            break;
    }
    wanted.desired.state = model::Desired::State::kRunning;
    const auto& type = type_of(job, catalogue);
    if (!job.project) {
        throw base::conflict(
            "project_missing",
            "The workspace's current project does not exist any more; switch the workspace to another one.");
    }
    wanted.current = make_spec(workspace, *job.project, type, workspace.generation);
    wanted.desired.current = target_of(*wanted.current);
    wanted.desired.may_overlap = !type.home_path.has_value();
    if (workspace.next_generation) {
        if (!job.next_project) {
            throw base::conflict("project_missing",
                                 "The project to switch to does not exist any more; choose another one.");
        }
        wanted.next = make_spec(workspace, *job.next_project, type, *workspace.next_generation);
        wanted.desired.next = target_of(*wanted.next);
    }
    return wanted;
}

}  // namespace agentdb9::services
