#include "services/workspaces_service.hpp"

#include "base/error.hpp"
#include "model/life_event.hpp"
#include "services/access.hpp"
#include "services/quota_rules.hpp"
#include "services/specs.hpp"

namespace agentdb9::services {

using model::DesiredState;
using model::Workspace;
using model::WorkspaceStatus;
using store::Transaction;

namespace {

json::object config_of(const model::WorkspaceType& type) {
    return {{"type", type.type},
            {"name", type.name},
            {"containerImage", type.container_image},
            {"defaultPort", type.default_port},
            {"features", json::value_from(type.features)},
            {"resourceLimits",
             {{"cpus", type.resource_limits.cpus},
              {"memory", type.resource_limits.memory_mb},
              {"memoryReservation", type.resource_limits.memory_reservation_mb},
              {"pids", type.resource_limits.pids}}}};
}

// By the field's name in the API: "resourceLimits.ulimits.nofile".
std::optional<json::value> limit_in(const json::object& limits, std::string_view field) {
    const json::object* object = &limits;
    field.remove_prefix(std::string_view("resourceLimits.").size());
    for (auto dot = field.find('.'); dot != std::string_view::npos; dot = field.find('.')) {
        const auto* inner = object->if_contains(field.substr(0, dot));
        if (inner == nullptr || !inner->is_object()) return std::nullopt;
        object = &inner->get_object();
        field.remove_prefix(dot + 1);
    }
    const auto* value = object->if_contains(field);
    return value == nullptr ? std::nullopt : std::optional(*value);
}

// What was wrong before, since the operator has lowered the bounds, is no reason to refuse the rest: what is
// in force is within them anyway.
model::SomeLimits checked(model::SomeLimits limits, const model::SomeLimits& before,
                          const model::WorkspaceType& type) {
    auto problems = model::problems_with(limits, type.resource_limits, type.maximum_limits);
    std::erase_if(problems, [was = model::to_json(before), is = model::to_json(limits)](const auto& each) {
        const auto before_it = limit_in(was, each.field);
        return before_it && before_it == limit_in(is, each.field);
    });
    if (problems.empty()) return limits;
    std::string sentence = "These limits are not possible:";
    for (const auto& each : problems)
        sentence += (sentence.ends_with(':') ? " '" : "; '") + each.field + "' " + each.problem;
    base::Error error(base::ErrorCode::kInvalid, "invalid_field", sentence + ".");
    for (const auto& each : problems)
        std::move(error).with_detail(each);
    throw error;
}

std::string default_name(Transaction& tx, const base::UserId& user, const model::WorkspaceType& type) {
    const auto count = tx.workspaces().of_user_and_type(user, type.type).size();
    return count == 0 ? type.name + " workspace" : type.name + " workspace " + std::to_string(count + 1);
}

model::Actor owner_of(const Workspace& workspace) {
    return {model::ActorKind::kUser, workspace.user_id.str()};
}

// In the workspace's life: which of its settings are others now.
void tell_change(Transaction& tx, const Workspace& row, const WorkspaceChange& change, base::Time now) {
    json::object details;
    if (change.name) details["name"] = *change.name;
    if (change.description) details["description"] = *change.description;
    if (change.make_default) details["isDefault"] = true;
    if (change.status) details["status"] = model::to_text(*change.status);
    if (change.wake_on_request) details["wakeOnRequest"] = *change.wake_on_request;
    if (change.idle_stop_minutes) {
        const auto& minutes = *change.idle_stop_minutes;
        details["idleStopMinutes"] = minutes ? json::value(*minutes) : json::value(nullptr);
    }
    if (change.schedule)
        details["schedule"] =
            *change.schedule ? json::value(model::to_json(**change.schedule)) : json::value(nullptr);
    if (details.empty()) return;
    auto event = model::make_life_event(row.id, model::LifeEventKind::kSettingsChanged, now,
                                        change.by.value_or(owner_of(row)), "Its settings were changed.");
    event.details = std::move(details);
    tx.life_events().insert(event);
}

void make_default(Transaction& tx, Workspace& workspace) {
    tx.workspaces().clear_default(workspace.user_id);
    workspace.is_default = true;
}

}  // namespace

Task<Workspace> WorkspacesService::create(base::UserId user, NewWorkspace wanted) {
    const auto* type = catalogue_.find(wanted.type);
    if (type == nullptr)
        throw base::invalid_field("type", "names no workspace type; GET /api/workspaces/types lists them");
    const auto now = clock_.now();
    auto workspace = co_await store_.write([=, this](Transaction& tx) {
        require_room_to_create(tx, user, catalogue_, quota_);
        Workspace row{.id = base::WorkspaceId::generate(), .name = {}, .user_id = user, .type = type->type};
        row.name = wanted.name ? *wanted.name : default_name(tx, user, *type);
        row.description = wanted.description;
        row.config = config_of(*type);
        row.wake_on_request = wanted.wake_on_request;
        row.limits = checked(model::changed({}, wanted.limits), {}, *type);
        row.container_name = model::instance_name(row.id);
        row.created_at = now;
        row.updated_at = now;
        if (wanted.project_id) {
            const auto project = owned_project(tx, user, *wanted.project_id);
            if (!model::is_compatible(project.workspace_type, type->type)) {
                throw base::invalid_field("projectId", "names a project of another type of workspace");
            }
            row.current_project_id = project.id;
            row.generation = row.last_generation = 1;
        }
        if (wanted.is_default || !has_default(tx, user)) make_default(tx, row);
        tx.workspaces().insert(row);
        auto event = model::make_life_event(row.id, model::LifeEventKind::kCreated, now,
                                            wanted.by.value_or(owner_of(row)),
                                            "It was made, of the type '" + row.type + "'.");
        event.details["type"] = row.type;
        tx.life_events().insert(event);
        return row;
    });
    co_await routes_.upsert(workspace);
    co_return workspace;
}

Task<Workspace> WorkspacesService::find(base::UserId user, base::WorkspaceId id) {
    co_return co_await store_.read([=](Transaction& tx) { return owned_workspace(tx, user, id); });
}

Task<store::Listing<Workspace>> WorkspacesService::list(base::UserId user, store::Page page) {
    co_return co_await store_.read([=](Transaction& tx) { return tx.workspaces().of_user(user, page); });
}

Task<std::vector<Workspace>> WorkspacesService::list_of_type(base::UserId user, std::string type) {
    if (catalogue_.find(type) == nullptr) {
        throw base::Error(base::ErrorCode::kInvalid, "workspace_type_unknown",
                          "There is no workspace type of this name; GET /api/workspaces/types lists them.");
    }
    co_return co_await store_.read(
        [=](Transaction& tx) { return tx.workspaces().of_user_and_type(user, type); });
}

Task<Workspace> WorkspacesService::update(base::UserId user, base::WorkspaceId id, WorkspaceChange change) {
    const auto now = clock_.now();
    auto workspace = co_await store_.write([=, this](Transaction& tx) {
        auto row = owned_workspace(tx, user, id);
        if (row.desired_state == DesiredState::kDeleted) {
            throw base::conflict("workspace_deleting",
                                 "This workspace is being deleted; create another one.");
        }
        if (change.status && row.desired_state == DesiredState::kRunning) {
            throw base::conflict("workspace_running",
                                 "The workspace is running; stop it before its status is changed.");
        }
        if (change.name) row.name = *change.name;
        if (change.description) row.description = change.description;
        if (change.make_default) make_default(tx, row);
        if (change.status) row.status = *change.status;
        if (change.wake_on_request) row.wake_on_request = *change.wake_on_request;
        if (change.idle_stop_minutes) {
            row.idle_stop_minutes = *change.idle_stop_minutes;
            row.idle_warned_at.reset();  // what was said is not so any more
        }
        if (change.schedule) {
            // What lies before it was set is not made up for.
            row.schedule = *change.schedule ? std::optional(model::to_json(**change.schedule)) : std::nullopt;
            row.schedule_seen_at = *change.schedule ? std::optional(now) : std::nullopt;
        }
        if (change.limits) change_limits(tx, row, *change.limits);
        row.updated_at = now;
        tx.workspaces().update(row);
        tell_change(tx, row, change, now);
        return row;
    });
    co_await routes_.upsert(workspace);
    co_return workspace;
}

// Until its container is seen to have no more than its limit.
void WorkspacesService::hold_memory(const Workspace& before, Workspace& now,
                                    const model::WorkspaceType& type) {
    const auto had = std::max(limits_of(before, type).memory_mb, before.memory_held_mb.value_or(0));
    now.memory_held_mb = had > limits_of(now, type).memory_mb ? std::optional(had) : std::nullopt;
}

void WorkspacesService::change_limits(Transaction& tx, Workspace& workspace,
                                      const model::LimitsChange& change) const {
    const auto* type = catalogue_.find(workspace.type);
    if (type == nullptr) {
        throw base::conflict("workspace_type_unknown",
                             "The workspace type '" + workspace.type +
                                 "' is not configured on this server; ask its operator to add it.");
    }
    const auto before = workspace;
    workspace.limits = checked(model::changed(workspace.limits, change), before.limits, *type);
    if (workspace.desired_state == DesiredState::kRunning) hold_memory(before, workspace, *type);
    require_room_to_change(tx, before, workspace, *type, catalogue_, quota_);
}

Task<Workspace> WorkspacesService::set_default(base::UserId user, base::WorkspaceId id,
                                               std::optional<model::Actor> by) {
    WorkspaceChange change;
    change.make_default = true;
    change.by = std::move(by);
    co_return co_await update(user, id, std::move(change));
}

Task<WorkspaceCounts> WorkspacesService::counts(base::UserId user) {
    co_return co_await store_.read([=](Transaction& tx) {
        WorkspaceCounts counts;
        for (auto& row : tx.workspaces().of_user(user, {.limit = 100000, .cursor = {}}).rows) {
            ++counts.total;
            ++counts.by_type[row.type];
            ++counts.by_status.at(static_cast<std::size_t>(row.status));
            if (row.is_default) counts.default_workspace = std::move(row);
        }
        return counts;
    });
}

Task<store::Listing<model::Operation>> WorkspacesService::operations(base::UserId user, base::WorkspaceId id,
                                                                     store::Page page) {
    co_return co_await store_.read([=](Transaction& tx) {
        owned_workspace(tx, user, id);
        return tx.operations().of_workspace(id, page);
    });
}

Task<store::Listing<model::LifeEvent>> WorkspacesService::history(base::UserId user, base::WorkspaceId id,
                                                                  store::Page page) {
    co_return co_await store_.read([=](Transaction& tx) {
        owned_workspace(tx, user, id);
        return tx.life_events().of_workspace(id, page);
    });
}

}  // namespace agentdb9::services
