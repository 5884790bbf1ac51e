// [workspaceTypes.NAME]: the catalogue's own field names, each overriding the built-in entry's. Inside of
// config/ only.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "model/workspace_type.hpp"

namespace toml::inline v3 {
class table;
class node;
}  // namespace toml::inline v3

namespace agentdb9::config {

// Told the node, the key and what is wrong with it.
using Problem = std::function<void(const toml::node&, const std::string& key, const std::string& problem)>;

void read_workspace_types(const toml::table& table, std::vector<model::WorkspaceType>& types,
                          const Problem& problem);

}  // namespace agentdb9::config
