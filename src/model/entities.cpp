#include "model/entities.hpp"

#include <array>

namespace agentdb9::model {
namespace {

template <class Enum>
struct Named {
    Enum value;
    std::string_view text;
};

constexpr std::array kRoles{Named{Role::kUser, "user"}, Named{Role::kAdmin, "admin"}};
constexpr std::array kStatuses{
    Named{WorkspaceStatus::kActive, "active"},     Named{WorkspaceStatus::kInactive, "inactive"},
    Named{WorkspaceStatus::kArchived, "archived"}, Named{WorkspaceStatus::kRunning, "running"},
    Named{WorkspaceStatus::kStopped, "stopped"},   Named{WorkspaceStatus::kError, "error"}};
constexpr std::array kDesiredStates{Named{DesiredState::kStopped, "stopped"},
                                    Named{DesiredState::kRunning, "running"},
                                    Named{DesiredState::kDeleted, "deleted"}};
constexpr std::array kPhases{Named{Phase::kStopped, "stopped"},   Named{Phase::kQueued, "queued"},
                             Named{Phase::kPulling, "pulling"},   Named{Phase::kCreating, "creating"},
                             Named{Phase::kStarting, "starting"}, Named{Phase::kProbing, "probing"},
                             Named{Phase::kRunning, "running"},   Named{Phase::kSwitching, "switching"},
                             Named{Phase::kStopping, "stopping"}, Named{Phase::kDeleting, "deleting"},
                             Named{Phase::kFailed, "failed"}};
constexpr std::array kOperationKinds{
    Named{OperationKind::kStart, "start"},     Named{OperationKind::kStop, "stop"},
    Named{OperationKind::kRestart, "restart"}, Named{OperationKind::kSwitch, "switch"},
    Named{OperationKind::kDelete, "delete"},   Named{OperationKind::kRecover, "recover"}};
constexpr std::array kOperationStates{
    Named{OperationState::kPending, "pending"}, Named{OperationState::kRunning, "running"},
    Named{OperationState::kSucceeded, "succeeded"}, Named{OperationState::kFailed, "failed"},
    Named{OperationState::kSuperseded, "superseded"}};
constexpr std::array kAdoptionKinds{Named{AdoptionKind::kVolume, "volume"},
                                    Named{AdoptionKind::kInstance, "instance"}};
constexpr std::array kVolumeKinds{Named{VolumeKind::kProject, "project"}, Named{VolumeKind::kHome, "home"},
                                  Named{VolumeKind::kReplaced, "replaced"},
                                  Named{VolumeKind::kUnfinished, "unfinished"}};

constexpr std::array kTokenPowers{Named{TokenPower::kRead, "read"}, Named{TokenPower::kWrite, "write"},
                                  Named{TokenPower::kFull, "full"}};

template <class Table, class Enum>
constexpr std::string_view text_in(const Table& table, Enum value) {
    for (const auto& row : table) {
        if (row.value == value) return row.text;
    }
    return {};
}

template <class Enum, class Table>
constexpr std::optional<Enum> value_in(const Table& table, std::string_view text) {
    for (const auto& row : table) {
        if (row.text == text) return row.value;
    }
    return std::nullopt;
}

}  // namespace

std::string_view to_text(Role value) {
    return text_in(kRoles, value);
}
std::string_view to_text(WorkspaceStatus value) {
    return text_in(kStatuses, value);
}
std::string_view to_text(DesiredState value) {
    return text_in(kDesiredStates, value);
}
std::string_view to_text(Phase value) {
    return text_in(kPhases, value);
}
std::string_view to_text(OperationKind value) {
    return text_in(kOperationKinds, value);
}
std::string_view to_text(OperationState value) {
    return text_in(kOperationStates, value);
}
std::string_view to_text(AdoptionKind value) {
    return text_in(kAdoptionKinds, value);
}
std::string_view to_text(VolumeKind value) {
    return text_in(kVolumeKinds, value);
}
std::string_view to_text(TokenPower value) {
    return text_in(kTokenPowers, value);
}

template <>
std::optional<Role> enum_from_text(std::string_view text) {
    return value_in<Role>(kRoles, text);
}
template <>
std::optional<WorkspaceStatus> enum_from_text(std::string_view text) {
    return value_in<WorkspaceStatus>(kStatuses, text);
}
template <>
std::optional<DesiredState> enum_from_text(std::string_view text) {
    return value_in<DesiredState>(kDesiredStates, text);
}
template <>
std::optional<Phase> enum_from_text(std::string_view text) {
    return value_in<Phase>(kPhases, text);
}
template <>
std::optional<OperationKind> enum_from_text(std::string_view text) {
    return value_in<OperationKind>(kOperationKinds, text);
}
template <>
std::optional<OperationState> enum_from_text(std::string_view text) {
    return value_in<OperationState>(kOperationStates, text);
}
template <>
std::optional<AdoptionKind> enum_from_text(std::string_view text) {
    return value_in<AdoptionKind>(kAdoptionKinds, text);
}
template <>
std::optional<VolumeKind> enum_from_text(std::string_view text) {
    return value_in<VolumeKind>(kVolumeKinds, text);
}
template <>
std::optional<TokenPower> enum_from_text(std::string_view text) {
    return value_in<TokenPower>(kTokenPowers, text);
}

bool is_open(OperationState state) {
    return state == OperationState::kPending || state == OperationState::kRunning;
}

}  // namespace agentdb9::model
