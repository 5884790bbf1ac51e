// What there is to tell a user of their workspaces and projects, and how what was told is kept.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "model/backup.hpp"
#include "model/entities.hpp"
#include "model/life_event.hpp"

namespace agentdb9::services {

// What there is; whatever a client knows beside it is gone. Without `projects` they are not spoken of.
struct AllThere {
    std::vector<base::WorkspaceId> workspaces;
    std::optional<std::vector<base::ProjectId>> projects;
};
struct WorkspaceGone {
    base::WorkspaceId id;
};
struct ProjectGone {
    base::ProjectId id;
};
using UserEvent = std::variant<model::Workspace, model::Operation, model::LifeEvent, model::Project,
                               model::ProjectOperation, AllThere, WorkspaceGone, ProjectGone>;
// How an event is written for those who watch, with what is known of its progress just now.
using UserEventWriter = std::function<std::string(const UserEvent&)>;

// A text, and since which version of its feed it reads so: whoever has heard an older one is told it.
struct Told {
    std::string text;
    std::uint64_t version = 0;

    void put(std::string now, std::uint64_t at) {
        if (text == now) return;
        text = std::move(now);
        version = at;
    }
};

}  // namespace agentdb9::services
