// From what somebody typed to the one object that it means: an id, or a name where only one object has it.
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace agentdb9::cli::client {

// What the objects are called, for sentences and for the command that lists them.
struct Kind {
    std::string_view one;      // "workspace"
    std::string_view many;     // "workspaces"
    std::string_view command;  // "workspaces": agentdb9 workspaces list
};

bool is_id(std::string_view text);
// The row of `rows` (objects with "id" and "name") whose id or name is `wanted`; an id goes before a name.
// Throws base::Error{kNotFound, "<one>_not_found"} with the names that are near, and {kInvalid,
// "ambiguous_name"} with the ids of all that have the name.
json::object find_by_name(const json::array& rows, std::string_view wanted, const Kind& kind);
// Names that somebody may have meant, the nearest first; three at most.
std::vector<std::string> near_names(const json::array& rows, std::string_view wanted);

}  // namespace agentdb9::cli::client
