// What the server puts away by itself: its duties, and what came of one. Plain values; any thread.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"

namespace agentdb9::model {

enum class Duty {
    kVolumes,     // whose time in the trash is over
    kContainers,  // of workspaces that were deleted, and helpers that were left behind
    kFailed,      // containers that starts left which failed
    kInactive,    // workspaces that nobody has used for long are marked so
    kImages,      // that the server pulled, and no workspace type names any more
    kPrefetch,    // of the images that the workspace types name
};
inline constexpr std::array kDuties{Duty::kVolumes,  Duty::kContainers, Duty::kFailed,
                                    Duty::kInactive, Duty::kImages,     Duty::kPrefetch};
std::string_view to_text(Duty value);
std::string_view about(Duty value);  // a sentence

enum class CleaningOutcome {
    kWould,   // a dry run's: this would be done
    kDone,    //
    kBegun,   // it goes on after the answer
    kKept,    // it is left alone, for a reason
    kFailed,  // it was to be done, and could not be
};
std::string_view to_text(CleaningOutcome value);

struct CleaningItem {
    std::string kind;  // "volume", "container", "helper", "workspace", "image"
    std::string name;
    CleaningOutcome outcome = CleaningOutcome::kWould;
    std::string why;                  // a sentence: why it is to go, or stays
    std::optional<base::Time> since;  // that reason holds, or the thing is there
};

struct DutyReport {
    Duty duty = Duty::kVolumes;
    std::vector<CleaningItem> items;
    std::string problem;  // a sentence: why not all of it was looked at; empty where it was

    std::size_t count(CleaningOutcome outcome) const;
};

struct CleaningSettings {
    std::array<std::chrono::minutes, kDuties.size()> every{
        std::chrono::minutes(60), std::chrono::minutes(60),   std::chrono::minutes(60),
        std::chrono::hours(24),   std::chrono::minutes(1440), std::chrono::minutes(0)};  // 0: not by itself
    std::chrono::hours failed_after{24};  // that long a failed start's container can be looked at
    std::chrono::days inactive_after{0};  // 0: never
    std::chrono::days image_after{7};     // that long no type has named it; 0: never

    std::chrono::minutes interval(Duty duty) const { return every.at(static_cast<std::size_t>(duty)); }
    // Whether there is anything to do at all, by hand or by itself.
    bool is_on(Duty duty) const;
};

}  // namespace agentdb9::model
