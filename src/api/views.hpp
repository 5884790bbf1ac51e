// The JSON forms of what the API answers: the fields that clients know, and nothing that is not theirs to
// see. Pure; any thread.
#pragma once

#include "base/json.hpp"
#include "model/backup.hpp"
#include "model/entities.hpp"
#include "model/instance.hpp"
#include "model/life_event.hpp"
#include "model/workspace_type.hpp"

namespace agentdb9::api {

// Without the password's hash.
json::object to_json(const model::User& user);
json::object to_json(const model::Project& project);
// `phase`: where it is on its way just now, which may be ahead of the row.
json::object to_json(const model::Workspace& workspace, model::Phase phase);
json::object to_json(const model::Operation& operation);
json::object to_json(const model::LifeEvent& event);
json::object to_json(const model::ProjectOperation& operation);
json::object to_json(const model::Backup& backup);
json::object to_json(const model::WorkspaceType& type, bool available);
json::object to_json(const model::ApiToken& token);
json::object to_json(const model::Tombstone& tombstone);
json::object to_json(const model::Instance& instance);
// How the application last ended by itself, of the happening that tells of it; null without one.
json::value last_exit(const std::optional<model::LifeEvent>& crash);

template <class Rows, class... More>
json::array to_json_array(const Rows& rows, const More&... more) {
    json::array array;
    array.reserve(rows.size());
    for (const auto& row : rows)
        array.emplace_back(to_json(row, more...));
    return array;
}

}  // namespace agentdb9::api
