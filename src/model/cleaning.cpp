#include "model/cleaning.hpp"

#include <algorithm>

namespace agentdb9::model {

std::string_view to_text(Duty value) {
    switch (value) {
        case Duty::kVolumes:
            return "volumes";
        case Duty::kContainers:
            return "containers";
        case Duty::kFailed:
            return "failed";
        case Duty::kInactive:
            return "inactive";
        case Duty::kImages:
            return "images";
        case Duty::kPrefetch:
            return "prefetch";
    }
    return "";
}

std::string_view about(Duty value) {
    switch (value) {
        case Duty::kVolumes:
            return "Removes volumes whose time in the trash is over.";
        case Duty::kContainers:
            return "Removes containers of workspaces that were deleted, and helpers that were left behind.";
        case Duty::kFailed:
            return "Removes containers that failed starts left behind.";
        case Duty::kInactive:
            return "Marks workspaces that nobody has used for long as inactive.";
        case Duty::kImages:
            return "Removes images that this server pulled and no workspace type names any more.";
        case Duty::kPrefetch:
            return "Pulls the images of the workspace types, so that a first start need not wait for that.";
    }
    return "";
}

std::string_view to_text(CleaningOutcome value) {
    switch (value) {
        case CleaningOutcome::kWould:
            return "would";
        case CleaningOutcome::kDone:
            return "done";
        case CleaningOutcome::kBegun:
            return "begun";
        case CleaningOutcome::kKept:
            return "kept";
        case CleaningOutcome::kFailed:
            return "failed";
    }
    return "";
}

std::size_t DutyReport::count(CleaningOutcome outcome) const {
    return static_cast<std::size_t>(std::ranges::count(items, outcome, &CleaningItem::outcome));
}

bool CleaningSettings::is_on(Duty duty) const {
    switch (duty) {
        case Duty::kInactive:
            return inactive_after.count() > 0;
        case Duty::kImages:
            return image_after.count() > 0;
        case Duty::kPrefetch:
            return interval(duty).count() > 0;
        default:
            return true;
    }
}

}  // namespace agentdb9::model
