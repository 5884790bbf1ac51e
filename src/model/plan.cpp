#include "model/plan.hpp"

#include <algorithm>
#include <ranges>
#include <tuple>

namespace agentdb9::model {
namespace {

template <class Range, class T>
bool contains(const Range& range, const T& value) {
    return std::ranges::find(range, value) != std::ranges::end(range);
}

bool is_gone(const Instance& instance) {
    return instance.state == InstanceState::kRemoving || instance.state == InstanceState::kDead;
}

bool is_live(const ObservedInstance& observed) {
    return holds_volumes(observed.instance.state);
}

// Is it what the target asks for? An adopted instance, when it has the project.
bool fits(const Instance& instance, const Target& target) {
    if (instance.adopted)
        return !target.volumes.empty() && contains(instance.volumes, target.volumes.front());
    return instance.spec == target.spec &&
           (!instance.limits || same_when_made(*instance.limits, target.limits));
}

// Has it other limits than the wanted ones, and can be given these as it is?
bool needs_limits(const ObservedInstance& observed, const Target& target) {
    const auto& has = observed.instance.limits;
    return has && !observed.instance.adopted && !observed.limits_told &&
           !same_while_running(*has, target.limits);
}

bool shares_volume(const Instance& instance, const Target& target) {
    return std::ranges::any_of(instance.volumes,
                               [&](const auto& volume) { return contains(target.volumes, volume); });
}

bool shares_volume(const Target& a, const Target& b) {
    return std::ranges::any_of(a.volumes, [&](const auto& volume) { return contains(b.volumes, volume); });
}

// Builds the list for one pass. It looks at each instance once and settles, in the order of the steps below,
// what becomes of it.
class Planner {
  public:
    Planner(const Desired& desired, const Observed& observed) : desired_(desired), observed_(observed) {}

    std::vector<Action> deleted() {
        drop_route();
        for (const auto& each : observed_.instances) {
            if (is_live(each)) add(ActionKind::kStop, each);
        }
        for (const auto& each : observed_.instances)
            add(ActionKind::kRemove, each);
        actions_.push_back({.kind = ActionKind::kForgetWorkspace, .instance = {}});
        return std::move(actions_);
    }

    std::vector<Action> stopped() {
        drop_route();
        const auto* keep = desired_.current ? choose(*desired_.current) : nullptr;
        for (const auto& each : observed_.instances) {
            if (is_live(each)) add(ActionKind::kStop, each);
        }
        complete();
        for (const auto& each : observed_.instances) {
            if (&each != keep && !is_unknown(each)) add(ActionKind::kRemove, each);
        }
        return std::move(actions_);
    }

    std::vector<Action> running() {
        const Target& target = *desired_.current;
        const auto* keep = choose(target);
        if (keep != nullptr && !is_live(*keep) && !fits(keep->instance, target)) keep = nullptr;
        // 1. Nothing else may run on its volumes, and nothing dead may hold its name.
        for (const auto& each : observed_.instances) {
            if (&each == keep) continue;
            if (keep == nullptr || is_gone(each.instance) || shares_volume(each.instance, target))
                evict(each);
        }
        // 2. An unhealthy one ends; the next look finds it stopped, and starts it, or makes it anew where its
        // type is another by now. Its files are not touched.
        if (keep != nullptr && keep->restart && is_live(*keep)) {
            if (keep->serving) add(ActionKind::kHoldRoute, *keep);
            add(ActionKind::kStop, *keep);
            return std::move(actions_);
        }
        // 3. The instance itself.
        if (keep == nullptr) {
            actions_.push_back(
                {.kind = ActionKind::kEnsureVolumes, .instance = {}, .generation = target.generation});
            actions_.push_back({.kind = ActionKind::kCreate,
                                .instance = {},
                                .generation = target.generation,
                                .plain = true});
            bring_up({}, target.generation);
        } else {
            if (!is_live(*keep)) {
                actions_.push_back(
                    {.kind = ActionKind::kEnsureVolumes, .instance = {}, .generation = target.generation});
                if (needs_limits(*keep, target)) add(ActionKind::kUpdateLimits, *keep);
                add(ActionKind::kStart, *keep);
            }
            if (keep->instance.state == InstanceState::kPaused) add(ActionKind::kResume, *keep);
            if (!keep->ready || !is_live(*keep)) add(ActionKind::kProbe, *keep);
            take_plain_name(*keep);
            if (!keep->serving) add(ActionKind::kPublishRoute, *keep);
            if (is_live(*keep) && needs_limits(*keep, target)) add(ActionKind::kUpdateLimits, *keep);
        }
        complete();
        // 4. What it replaced may finish what it is answering.
        retire_others(keep);
        return std::move(actions_);
    }

    std::vector<Action> replacing() {
        const Target& target = *desired_.next;
        const auto* fresh = choose(target);
        if (fresh != nullptr && !is_live(*fresh) && !fits(fresh->instance, target)) fresh = nullptr;
        const auto* old = desired_.current ? choose(*desired_.current) : nullptr;
        // 1. Left-overs of earlier replacements make room.
        for (const auto& each : observed_.instances) {
            if (&each == fresh || &each == old) continue;
            if (is_gone(each.instance) || each.instance.generation == target.generation ||
                shares_volume(each.instance, target)) {
                evict(each);
            }
        }
        // 2. The replacement is made before anything is taken away.
        if (fresh == nullptr) {
            actions_.push_back(
                {.kind = ActionKind::kEnsureVolumes, .instance = {}, .generation = target.generation});
            actions_.push_back(
                {.kind = ActionKind::kCreate, .instance = {}, .generation = target.generation});
        }
        if (fresh != nullptr && needs_limits(*fresh, target)) add(ActionKind::kUpdateLimits, *fresh);
        // 3. It starts beside the old one, or after it.
        if (fresh == nullptr || !is_live(*fresh)) {
            const bool overlap =
                desired_.may_overlap && desired_.current && !shares_volume(*desired_.current, target);
            if (old != nullptr && is_live(*old) && !overlap) {
                add(ActionKind::kHoldRoute, *old);
                add(ActionKind::kStop, *old);
            }
            push(ActionKind::kStart, fresh, target.generation);
        }
        if (fresh != nullptr && fresh->instance.state == InstanceState::kPaused)
            add(ActionKind::kResume, *fresh);
        if (fresh == nullptr || !fresh->ready || !is_live(*fresh))
            push(ActionKind::kProbe, fresh, target.generation);
        // 4. It takes over: first in the store, then by name, then for the requests.
        push(ActionKind::kCommitNext, fresh, target.generation);
        if (fresh != nullptr) {
            take_plain_name(*fresh);
        } else {
            free_plain_name({});
            push(ActionKind::kRename, nullptr, target.generation, true);
        }
        push(ActionKind::kPublishRoute, fresh, target.generation);
        complete();
        // 5. The old one may finish what it is answering.
        retire_others(fresh);
        return std::move(actions_);
    }

  private:
    void push(ActionKind kind, const ObservedInstance* which, std::int64_t generation, bool plain = false) {
        actions_.push_back({.kind = kind,
                            .instance = which == nullptr ? std::string() : which->instance.id,
                            .generation = generation,
                            .plain = plain});
    }
    void add(ActionKind kind, const ObservedInstance& which, bool plain = false) {
        push(kind, &which, which.instance.generation, plain);
    }
    void complete() { actions_.push_back({.kind = ActionKind::kComplete, .instance = {}}); }
    void drop_route() {
        if (observed_.routed) actions_.push_back({.kind = ActionKind::kDropRoute, .instance = {}});
    }

    void bring_up(const std::string& instance, std::int64_t generation) {
        for (const auto kind : {ActionKind::kStart, ActionKind::kProbe, ActionKind::kPublishRoute}) {
            actions_.push_back({.kind = kind, .instance = instance, .generation = generation});
        }
    }

    bool is_unknown(const ObservedInstance& each) const {
        return each.instance.generation > desired_.last_generation;
    }

    // Ends and removes it now; one that is unknown only makes room. A left-over of a switch that is taken
    // back at once may still be answering: it may finish that, too.
    void evict(const ObservedInstance& which) {
        evicted_.push_back(&which);
        if (!is_unknown(which)) {
            add(is_live(which) ? ActionKind::kDrainAndRemove : ActionKind::kRemove, which);
            return;
        }
        if (is_live(which)) add(ActionKind::kStop, which);
        if (which.instance.name == desired_.plain_name) add(ActionKind::kRename, which);
    }

    void free_plain_name(const std::string& except) {
        for (const auto& each : observed_.instances) {
            if (each.instance.name != desired_.plain_name || each.instance.id == except) continue;
            if (!contains(evicted_, &each)) add(ActionKind::kRename, each);
        }
    }

    void take_plain_name(const ObservedInstance& which) {
        if (which.instance.name == desired_.plain_name) return;
        free_plain_name(which.instance.id);
        add(ActionKind::kRename, which, true);
    }

    void retire_others(const ObservedInstance* keep) {
        for (const auto& each : observed_.instances) {
            if (&each == keep || contains(evicted_, &each)) continue;
            if (is_unknown(each)) {
                if (is_live(each)) add(ActionKind::kStop, each);
                continue;
            }
            const bool stopped_above = std::ranges::any_of(actions_, [&](const Action& action) {
                return action.kind == ActionKind::kStop && action.instance == each.instance.id;
            });
            add(is_live(each) && !stopped_above ? ActionKind::kDrainAndRemove : ActionKind::kRemove, each);
        }
    }

    // The best of a generation: who serves, is ready, runs, has the name; ids break ties, so that the choice
    // is stable.
    const ObservedInstance* choose(const Target& target) const {
        const ObservedInstance* best = nullptr;
        const auto rank = [&](const ObservedInstance& each) {
            return std::tuple(each.serving, each.ready, is_live(each), each.instance.spec == target.spec,
                              each.instance.name == desired_.plain_name, each.instance.id);
        };
        for (const auto& each : observed_.instances) {
            if (each.instance.generation != target.generation || is_gone(each.instance)) continue;
            if (best == nullptr || rank(each) > rank(*best)) best = &each;
        }
        return best;
    }

    const Desired& desired_;
    const Observed& observed_;
    std::vector<Action> actions_;
    std::vector<const ObservedInstance*> evicted_;
};

}  // namespace

std::vector<Action> plan(const Desired& desired, const Observed& observed) {
    Planner planner(desired, observed);
    switch (desired.state) {
        case Desired::State::kDeleted:
            return planner.deleted();
        case Desired::State::kStopped:
            return planner.stopped();
        case Desired::State::kRunning:
            return desired.next ? planner.replacing() : planner.running();
    }
    return {};
}

bool is_settled(const std::vector<Action>& actions) {
    return std::ranges::all_of(actions,
                               [](const Action& action) { return action.kind == ActionKind::kComplete; });
}

std::string_view to_text(ActionKind kind) {
    switch (kind) {
        case ActionKind::kEnsureVolumes:
            return "ensure_volumes";
        case ActionKind::kCreate:
            return "create";
        case ActionKind::kStart:
            return "start";
        case ActionKind::kResume:
            return "resume";
        case ActionKind::kProbe:
            return "probe";
        case ActionKind::kHoldRoute:
            return "hold_route";
        case ActionKind::kDropRoute:
            return "drop_route";
        case ActionKind::kStop:
            return "stop";
        case ActionKind::kRename:
            return "rename";
        case ActionKind::kCommitNext:
            return "commit_next";
        case ActionKind::kPublishRoute:
            return "publish_route";
        case ActionKind::kUpdateLimits:
            return "update_limits";
        case ActionKind::kRemove:
            return "remove";
        case ActionKind::kDrainAndRemove:
            return "drain_and_remove";
        case ActionKind::kComplete:
            return "complete";
        case ActionKind::kForgetWorkspace:
            return "forget_workspace";
    }
    return "unknown";
}

}  // namespace agentdb9::model
