// The catalogue of a lost database, made again from what the engine's labels tell: who owns which volume, and
// which workspace ran with which project. Names, descriptions and passwords are told by nothing and are lost.
// Control executor.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "runtime/runtime.hpp"
#include "store/store.hpp"

namespace agentdb9::services {

struct Rebuilt {
    std::vector<model::User> users;  // placeholders, disabled; only those that the database does not have
    std::vector<model::Project> projects;
    std::vector<model::Workspace> workspaces;
    std::vector<std::string> notes;  // what could not be told from the labels: sentences
};

// What would be written. `owner`: who gets what belonged to users that the database does not have; absent: a
// placeholder for each of them. Changes nothing. kConflict "catalogue_not_empty" when the database has any
// project, workspace or trash; what runtime and store throw.
Task<Rebuilt> plan_rebuild(store::Store& store, runtime::Runtime& runtime, const model::Catalogue& catalogue,
                           base::Clock& clock, std::optional<base::UserId> owner);

// Writes it in one transaction, with `also`; refuses as above. `hashes`: of the placeholders' passwords.
Task<> write_rebuilt(store::Store& store, Rebuilt rebuilt, std::map<base::UserId, std::string> hashes,
                     std::function<void(store::Transaction&)> also);

}  // namespace agentdb9::services
