#include "runtime/docker/event_log.hpp"

#include <algorithm>

#include "runtime/docker/objects.hpp"

namespace agentdb9::runtime::docker {
namespace {

// More than the engine itself keeps for `since` (256).
constexpr std::size_t kRemembered = 1024;
constexpr std::int64_t kSecond = 1'000'000'000;

EventKind kind_of(std::string_view action) {
    if (action == "start") return EventKind::kStarted;
    if (action == "die") return EventKind::kDied;
    if (action == "destroy") return EventKind::kRemoved;
    return EventKind::kOther;
}

bool matters(std::string_view action) {
    for (const std::string_view each :
         {"create", "start", "die", "destroy", "oom", "pause", "unpause", "rename", "stop"}) {
        if (action == each) return true;
    }
    return false;
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
    return Event{.workspace = *workspace,
                 .instance = std::move(id),
                 .kind = kind_of(action),
                 .installation = text_at(*attributes, kInstanceLabel)};
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
