// What happened in a workspace's life, as it is told to whoever asks why it is as it is: one row a happening,
// written with the change itself. Plain values; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.hpp"
#include "base/json.hpp"
#include "model/entities.hpp"

namespace agentdb9::model {

using LifeEventId = base::Id<struct LifeEventTag>;

enum class LifeEventKind {
    kCreated,
    kStartRequested,
    kWoken,  // started by a request for its application
    kStarted,
    kStopRequested,
    kStopped,
    kRestartRequested,
    kRestarted,
    kSwitchRequested,
    kSwitched,
    kDeleteRequested,
    kDeleted,   // it lies in the trash
    kRestored,  // from there
    kRecovered,
    kFailed,
    kCrashed,  // its application ended by itself
    kUnhealthy,
    kHealthy,
    kRestartedByServer,
    kIdleWarning,
    kIdleStopped,
    kScheduleWarning,
    kKeptAlive,
    kSettingsChanged,
};

enum class ActorKind { kUser, kToken, kOperator, kServer };

// Who did it.
struct Actor {
    ActorKind kind = ActorKind::kServer;
    std::optional<std::string> id;  // the user's, or the API token's
    friend bool operator==(const Actor&, const Actor&) = default;
};

struct LifeEvent {
    LifeEventId id;
    WorkspaceId workspace_id;
    LifeEventKind kind = LifeEventKind::kCreated;
    Time at;
    ActorKind actor = ActorKind::kServer;
    std::optional<std::string> actor_id;
    std::string why;  // a sentence for a person
    std::optional<OperationId> operation_id;
    json::object details;  // what else a program may want to know
    friend bool operator==(const LifeEvent&, const LifeEvent&) = default;
};

LifeEvent make_life_event(const WorkspaceId& workspace, LifeEventKind kind, Time at, const Actor& by,
                          std::string why);

// What asking for an operation of this kind, and reaching what it asked for, is in the workspace's life.
LifeEventKind requested_kind(OperationKind kind);
LifeEventKind reached_kind(OperationKind kind);

std::string_view to_text(LifeEventKind value);
std::string_view to_text(ActorKind value);
template <>
std::optional<LifeEventKind> enum_from_text(std::string_view text);
template <>
std::optional<ActorKind> enum_from_text(std::string_view text);

}  // namespace agentdb9::model
