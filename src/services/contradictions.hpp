// Rows that contradict one another, as a crash of the disk, a hand in the database or an old copy of it
// leaves them: what is wrong, and the rows as they should be. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/entities.hpp"
#include "store/store.hpp"

namespace agentdb9::services {

struct Rows {
    std::vector<model::User> users;
    std::vector<model::Project> projects;      // oldest first
    std::vector<model::Workspace> workspaces;  // oldest first
    std::vector<model::Tombstone> trash;       // neither restored nor purged
};
Rows read_rows(store::Transaction& tx);

struct Contradiction {
    std::string subject;  // the row's id
    std::string what;     // a sentence
    std::string remedy;   // what mending does, or, where nothing mends it, what a person can do: a sentence
    // The row as it should be; none of them: a person has to decide.
    std::optional<model::Workspace> workspace;
    std::optional<model::Project> project;
    std::optional<model::Tombstone> tombstone;
    bool mends() const { return workspace || project || tombstone; }
};

// One a row at most, with all that is wrong with it.
std::vector<Contradiction> find_contradictions(const Rows& rows, model::Time now);

}  // namespace agentdb9::services
