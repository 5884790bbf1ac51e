#include "cli/client/objects.hpp"

#include "cli/client/text.hpp"

namespace agentdb9::cli::client {
namespace {

using base::Error;

json::object find(Api& api, const std::string& path, const std::string& wanted, const Kind& kind) {
    if (is_id(wanted)) return as_row(api.get(path + "/" + wanted).data(), api);
    return find_by_name(api.list(path), wanted, kind);
}

}  // namespace

const json::object& as_row(const json::value& data, const Api& api) {
    if (!data.is_object()) throw unreadable(api.url());
    return data.get_object();
}

json::object find_workspace(Api& api, const std::string& wanted) {
    return find(api, "/api/workspaces", wanted, kWorkspace);
}

json::object find_project(Api& api, const std::string& wanted) {
    return find(api, "/api/projects", wanted, kProject);
}

std::string quoted_name(const json::object& row) {
    return "'" + shown(row, "name") + "'";
}

std::string name_or_id(const json::object& row) {
    const auto name = text_in(row, "name");
    return !name.empty() && shell_word(name) == name ? name : shown(row, "id");
}

std::string project_name(const json::array& projects, const json::object& workspace) {
    const auto id = text_in(workspace, "currentProjectId");
    for (const auto& project : projects)
        if (text_in(project.as_object(), "id") == id) return shown(project.as_object(), "name");
    return shown(workspace, "currentProjectId");
}

std::string trash_note(Api& api, const json::object& row, const std::string& what) {
    try {
        const auto id = text_in(row, "id");
        for (const auto& each : api.list("/api/trash")) {
            const auto& volume = each.as_object();
            if (text_in(volume, "ownerId") != id) continue;
            return " " + what + " in the trash until " + shown_time(volume, "purgeAfter") +
                   " UTC (trash id " + shown(volume, "id") + ").";
        }
    } catch (const Error&) {
        return {};
    }
    return {};
}

}  // namespace agentdb9::cli::client
