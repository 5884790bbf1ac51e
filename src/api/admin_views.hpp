// What administrators are shown, as JSON. Pure.
#pragma once

#include "api/views.hpp"
#include "services/administration.hpp"

namespace agentdb9::api {

// An account with counts; no preferences, which are its owner's.
json::object to_json(const model::UserSummary& summary);
// A workspace as a row: no description, no configuration, no names of its volumes. `phase`: as it is just
// now.
json::object to_json(const model::WorkspaceSummary& summary, model::Phase phase);

// What the server says beside what services::Overview knows.
struct ServerSays {
    std::string version;
    base::Time started_at;
    std::int64_t uptime_seconds = 0;
    std::optional<std::string> name;  // among several
    std::string database;             // "SQLite 3.40.1, /path"
    bool on_postgresql = false;
    std::size_t starts_queued = 0;
    std::size_t starts_in_progress = 0;
    std::size_t starts_limit = 0;
};
json::object to_json(const services::Overview& overview, const ServerSays& server);

}  // namespace agentdb9::api
