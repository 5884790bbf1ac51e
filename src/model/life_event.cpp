#include "model/life_event.hpp"

#include <array>
#include <utility>

namespace agentdb9::model {
namespace {

constexpr std::array kKinds{
    std::pair{LifeEventKind::kCreated, std::string_view("created")},
    std::pair{LifeEventKind::kStartRequested, std::string_view("start_requested")},
    std::pair{LifeEventKind::kWoken, std::string_view("woken")},
    std::pair{LifeEventKind::kStarted, std::string_view("started")},
    std::pair{LifeEventKind::kStopRequested, std::string_view("stop_requested")},
    std::pair{LifeEventKind::kStopped, std::string_view("stopped")},
    std::pair{LifeEventKind::kRestartRequested, std::string_view("restart_requested")},
    std::pair{LifeEventKind::kRestarted, std::string_view("restarted")},
    std::pair{LifeEventKind::kSwitchRequested, std::string_view("switch_requested")},
    std::pair{LifeEventKind::kSwitched, std::string_view("switched")},
    std::pair{LifeEventKind::kDeleteRequested, std::string_view("delete_requested")},
    std::pair{LifeEventKind::kDeleted, std::string_view("deleted")},
    std::pair{LifeEventKind::kRestored, std::string_view("restored")},
    std::pair{LifeEventKind::kRecovered, std::string_view("recovered")},
    std::pair{LifeEventKind::kFailed, std::string_view("failed")},
    std::pair{LifeEventKind::kCrashed, std::string_view("crashed")},
    std::pair{LifeEventKind::kUnhealthy, std::string_view("unhealthy")},
    std::pair{LifeEventKind::kHealthy, std::string_view("healthy")},
    std::pair{LifeEventKind::kRestartedByServer, std::string_view("restarted_by_server")},
    std::pair{LifeEventKind::kIdleWarning, std::string_view("idle_warning")},
    std::pair{LifeEventKind::kScheduleWarning, std::string_view("schedule_warning")},
    std::pair{LifeEventKind::kIdleStopped, std::string_view("idle_stopped")},
    std::pair{LifeEventKind::kKeptAlive, std::string_view("kept_alive")},
    std::pair{LifeEventKind::kSettingsChanged, std::string_view("settings_changed")},
};
constexpr std::array kActors{
    std::pair{ActorKind::kUser, std::string_view("user")},
    std::pair{ActorKind::kToken, std::string_view("token")},
    std::pair{ActorKind::kOperator, std::string_view("operator")},
    std::pair{ActorKind::kServer, std::string_view("server")},
};

template <class Table, class Enum>
constexpr std::string_view text_in(const Table& table, Enum value) {
    for (const auto& [each, text] : table)
        if (each == value) return text;
    return {};
}

template <class Enum, class Table>
constexpr std::optional<Enum> value_in(const Table& table, std::string_view wanted) {
    for (const auto& [each, text] : table)
        if (text == wanted) return each;
    return std::nullopt;
}

}  // namespace

LifeEvent make_life_event(const WorkspaceId& workspace, LifeEventKind kind, Time at, const Actor& by,
                          std::string why) {
    LifeEvent event{.id = LifeEventId::generate(), .workspace_id = workspace};
    event.kind = kind;
    event.at = at;
    event.actor = by.kind;
    event.actor_id = by.id;
    event.why = std::move(why);
    return event;
}

LifeEventKind requested_kind(OperationKind kind) {
    switch (kind) {
        case OperationKind::kStart:
            return LifeEventKind::kStartRequested;
        case OperationKind::kStop:
            return LifeEventKind::kStopRequested;
        case OperationKind::kRestart:
            return LifeEventKind::kRestartRequested;
        case OperationKind::kSwitch:
            return LifeEventKind::kSwitchRequested;
        case OperationKind::kDelete:
            return LifeEventKind::kDeleteRequested;
        case OperationKind::kRecover:
            return LifeEventKind::kRecovered;  // nobody asks for it
    }
    return LifeEventKind::kRecovered;
}

LifeEventKind reached_kind(OperationKind kind) {
    switch (kind) {
        case OperationKind::kStart:
            return LifeEventKind::kStarted;
        case OperationKind::kStop:
            return LifeEventKind::kStopped;
        case OperationKind::kRestart:
            return LifeEventKind::kRestarted;
        case OperationKind::kSwitch:
            return LifeEventKind::kSwitched;
        case OperationKind::kDelete:
            return LifeEventKind::kDeleted;
        case OperationKind::kRecover:
            return LifeEventKind::kRecovered;
    }
    return LifeEventKind::kRecovered;
}

std::string_view to_text(LifeEventKind value) {
    return text_in(kKinds, value);
}
std::string_view to_text(ActorKind value) {
    return text_in(kActors, value);
}
template <>
std::optional<LifeEventKind> enum_from_text(std::string_view text) {
    return value_in<LifeEventKind>(kKinds, text);
}
template <>
std::optional<ActorKind> enum_from_text(std::string_view text) {
    return value_in<ActorKind>(kActors, text);
}

}  // namespace agentdb9::model
