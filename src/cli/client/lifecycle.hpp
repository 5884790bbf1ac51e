// What the files of the workspaces' commands share.
#pragma once

#include <memory>
#include <string>

#include "cli/context.hpp"

namespace CLI {
class App;
}

namespace agentdb9::cli::client {

// A command on one workspace, named by its name or id, with the options of add_client_options().
CLI::App* add_on_workspace(CLI::App& parent, Context& context, const char* name, const char* help,
                           const std::shared_ptr<std::string>& wanted);
// set.
void add_set(CLI::App& workspaces, Context& context);
void add_limits(CLI::App& workspaces, Context& context);
// start, stop, restart, switch, delete.
void add_lifecycle(CLI::App& workspaces, Context& context, int& code);

// activity, keep-alive.
void add_activity(CLI::App& workspaces, Context& context);
// history.
void add_history(CLI::App& workspaces, Context& context);

}  // namespace agentdb9::cli::client
