// What this installation has on the engine, laid beside what its database knows of. Looks, and changes
// nothing. Control executor.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/runtime.hpp"
#include "store/store.hpp"

namespace agentdb9::services {

struct SurveyedVolume {
    enum class State {
        kInUse,    // a project's or a workspace's
        kInTrash,  // its owner was deleted; the tombstone says when its time is over
        kUnknown   // carries this installation's label, but the database has no owner and no tombstone for it
    };
    std::string name;
    State state = State::kInUse;
    model::VolumeKind kind = model::VolumeKind::kProject;
    std::string owner_name;                     // the project's or workspace's; empty when unknown
    std::optional<base::UserId> user_id;        // whose it is
    std::string user_email;                     // empty when that account is not there
    std::optional<model::Tombstone> tombstone;  // in the trash
    std::optional<bool> on_engine;              // absent: the engine does not answer
};
std::string_view to_text(SurveyedVolume::State state);

struct Survey {
    bool engine_answers = true;
    std::vector<SurveyedVolume> volumes;             // the trash first, then by user and name
    std::vector<model::Instance> unknown_instances;  // of workspaces that the database does not have
};

// Throws what the store throws; an engine that does not answer is a fact like any other.
Task<Survey> survey(store::Store& store, runtime::Runtime& runtime);

}  // namespace agentdb9::services
