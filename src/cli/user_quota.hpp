// user quota, in a file of its own.
#pragma once

#include "cli/context.hpp"

namespace CLI {
class App;
}

namespace agentdb9::cli {

void add_user_quota(CLI::App& user, Context& context);

}  // namespace agentdb9::cli
