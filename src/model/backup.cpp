#include "model/backup.hpp"

#include <array>
#include <utility>

namespace agentdb9::model {
namespace {

using Kind = ProjectOperationKind;

constexpr std::array<std::pair<Kind, std::string_view>, 4> kKinds{{{Kind::kBackup, "backup"},
                                                                   {Kind::kRestore, "restore"},
                                                                   {Kind::kClone, "clone"},
                                                                   {Kind::kImport, "import"}}};
constexpr std::array<std::pair<BackupState, std::string_view>, 4> kStates{
    {{BackupState::kRunning, "running"},
     {BackupState::kComplete, "complete"},
     {BackupState::kFailed, "failed"},
     {BackupState::kDeleting, "deleting"}}};

template <class Enum>
std::string_view text_in(const std::array<std::pair<Enum, std::string_view>, 4>& table, Enum value) {
    for (const auto& [each, text] : table) {
        if (each == value) return text;
    }
    return {};
}

template <class Enum>
std::optional<Enum> value_in(const std::array<std::pair<Enum, std::string_view>, 4>& table,
                             std::string_view text) {
    for (const auto& [each, name] : table) {
        if (name == text) return each;
    }
    return std::nullopt;
}

}  // namespace

std::string_view to_text(ProjectOperationKind value) {
    return text_in(kKinds, value);
}
std::string_view to_text(BackupState value) {
    return text_in(kStates, value);
}
template <>
std::optional<ProjectOperationKind> enum_from_text(std::string_view text) {
    return value_in(kKinds, text);
}
template <>
std::optional<BackupState> enum_from_text(std::string_view text) {
    return value_in(kStates, text);
}

}  // namespace agentdb9::model
