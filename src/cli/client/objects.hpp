// The workspaces and projects of the caller, as commands name and show them. Blocking; errors as Api's.
#pragma once

#include <string>

#include "cli/client/api.hpp"
#include "cli/client/names.hpp"

namespace agentdb9::cli::client {

inline constexpr Kind kWorkspace{"workspace", "workspaces", "workspaces"};
inline constexpr Kind kProject{"project", "projects", "projects"};
inline constexpr Kind kToken{"API token", "API tokens", "token"};

// The row that an id or a name means: one call by an id, else by the whole list.
json::object find_workspace(Api& api, const std::string& wanted);
json::object find_project(Api& api, const std::string& wanted);

// "'Name'", for sentences.
std::string quoted_name(const json::object& row);
// How to name it on a command line: its name, where that is short of surprises, else its id.
std::string name_or_id(const json::object& row);
// The name of the project with this id among `projects`; the id where there is none; "-" for null.
std::string project_name(const json::array& projects, const json::object& workspace);

// Where the deleted object's files are now: " Its files are in the trash until …", or that nothing was kept.
// Empty where the trash cannot be asked: the deletion itself was done.
std::string trash_note(Api& api, const json::object& row, const std::string& what);

// `data` as an object. Throws {kUpstream, "answer_unreadable"} for anything else: a server of another
// version.
const json::object& as_row(const json::value& data, const Api& api);

}  // namespace agentdb9::cli::client
