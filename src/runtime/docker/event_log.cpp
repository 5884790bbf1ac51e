#include "runtime/docker/event_log.hpp"

#include <algorithm>
#include <charconv>

#include "runtime/docker/objects.hpp"

namespace agentdb9::runtime::docker {
namespace {

// More than the engine itself keeps for `since` (256).
constexpr std::size_t kRemembered = 1024;
constexpr std::int64_t kSecond = 1'000'000'000;
// Beyond the grace of any stop.
constexpr std::int64_t kKillTakes = 60 * kSecond;

EventKind kind_of(std::string_view action) {
    if (action == "start") return EventKind::kStarted;
    if (action == "die") return EventKind::kDied;
    if (action == "destroy") return EventKind::kRemoved;
    return EventKind::kOther;
}

bool matters(std::string_view action) {
    for (const std::string_view each :
         {"create", "start", "die", "destroy", "oom", "pause", "unpause", "rename", "stop", "kill"}) {
        if (action == each) return true;
    }
    return action.starts_with("health_status");
}

}  // namespace

std::optional<Event> EventLog::read(std::string_view line) {
    boost::system::error_code ec;
    const auto value = json::parse(json::string_view(line.data(), line.size()), ec);
    if (ec || !value.is_object()) return std::nullopt;
    const auto& event = value.get_object();
    const auto action = text_at(event, "Action");
    const auto* actor = object_at(event, "Actor");
    const auto* attributes = actor != nullptr ? object_at(*actor, "Attributes") : nullptr;
    if (attributes == nullptr || !matters(action)) return std::nullopt;
    const auto workspace = base::WorkspaceId::parse(text_at(*attributes, kWorkspaceIdLabel));
    if (!workspace) return std::nullopt;
    auto id = text_at(*actor, "ID");
    if (const auto* at = event.if_contains("timeNano"); at != nullptr && at->is_int64()) {
        if (!is_new({at->get_int64(), action, id})) return std::nullopt;
        last_ns_ = at->get_int64();
        if (first_ns_ == 0) first_ns_ = last_ns_;
    }
    Event told{.workspace = *workspace,
               .instance = std::move(id),
               .kind = kind_of(action),
               .installation = text_at(*attributes, kInstanceLabel)};
    const auto* at = event.if_contains("timeNano");
    const auto at_ns = at != nullptr && at->is_int64() ? at->get_int64() : 0;
    if (told.kind == EventKind::kDied) {
        told.death = take_death(told.instance, text_at(*attributes, "exitCode"), at_ns);
    } else {
        note(action, told.instance, at_ns);
        // A signal by itself changes nothing that anybody would look at.
        if (action == "kill") return std::nullopt;
    }
    return told;
}

void EventLog::note(const std::string& action, const std::string& id, std::int64_t at_ns) {
    if (action == "start" || action == "destroy") {
        signs_.erase(id);
    } else if (action == "kill" || action == "oom") {
        if (signs_.size() >= kRemembered) signs_.clear();
        auto& signs = signs_[id];
        if (action == "kill") signs.killed_ns = at_ns;
        if (action == "oom") signs.out_of_memory = true;
    }
}

Death EventLog::take_death(const std::string& id, const std::string& exit_code, std::int64_t at_ns) {
    Death death{.exit_code = {}, .at_ns = at_ns};
    int code = 0;
    const auto* end = exit_code.data() + exit_code.size();
    if (const auto [stop, error] = std::from_chars(exit_code.data(), end, code);
        error == std::errc() && stop == end)
        death.exit_code = code;
    if (const auto found = signs_.find(id); found != signs_.end()) {
        death.out_of_memory = found->second.out_of_memory;
        // A signal long ago, which it took well, is not why it ends.
        death.asked = found->second.killed_ns != 0 && at_ns - found->second.killed_ns < kKillTakes;
        signs_.erase(found);
    }
    return death;
}

bool EventLog::is_new(Key key) {
    if (!told_.insert(key).second) return false;
    order_.push_back(std::move(key));
    if (order_.size() > kRemembered) {
        told_.erase(order_.front());
        order_.pop_front();
    }
    return true;
}

std::optional<std::string> EventLog::since() const {
    if (last_ns_ <= kSecond) return std::nullopt;
    auto from = last_ns_ - kSecond;
    if (first_ns_ <= last_ns_) from = std::max(from, first_ns_);
    auto fraction = std::to_string(from % kSecond);
    fraction.insert(0, 9 - fraction.size(), '0');
    return std::to_string(from / kSecond) + "." + fraction;
}

}  // namespace agentdb9::runtime::docker
