// The tables of an AgentDB9 installation that an earlier backend made: brought into the form that this
// program expects, every row kept. Called once, within a migration. Blocks.
#pragma once

#include <string>
#include <vector>

#include "store/connection.hpp"

namespace agentdb9::store {

// Adds the columns that earlier versions of that backend did not have yet.
void complete_existing_tables(Connection& db);

// Repairs what has one obvious repair, and returns a sentence for each kind of it, and for what has none.
std::vector<std::string> repair_existing_rows(Connection& db);

}  // namespace agentdb9::store
