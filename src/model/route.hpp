// Workspace → upstream, as the data plane reads it: an immutable table, made by the reconciler's side on
// every change and read by each worker without a lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/ids.hpp"
#include "model/instance.hpp"
#include "model/share.hpp"

namespace agentdb9::model {

enum class RouteState {
    kReady,  // requests go to the instance
    kHeld,   // it is starting, switching or not yet looked at: requests wait for the next table, ten seconds
             // at most
    kStopped,  // requests are refused: workspace_not_running
};

// How much an instance is used. Written by the workers, read by the reconciler, which lets an instance finish
// its requests before it stops it. Lives as long as anyone refers to it.
struct InstanceUse {
    std::atomic<std::int64_t> requests_in_flight{0};
    std::atomic<std::int64_t> open_sockets{0};  // upgraded connections
    // When something of it last moved, in milliseconds of the steady clock; 0: never.
    std::atomic<std::int64_t> last_request_ms{0};
    std::atomic<std::int64_t> last_frame_ms{0};
};

// A plain store: which of two workers that see use in one moment writes last does not matter.
inline void mark_use(std::atomic<std::int64_t>& when, base::SteadyTime now) {
    when.store(std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count(),
               std::memory_order_relaxed);
}

struct Route {
    base::WorkspaceId workspace;
    base::UserId owner;
    std::string type;
    int default_port = 0;      // the type's
    bool strip_prefix = true;  // the type's
    RouteState state = RouteState::kStopped;
    // Of the instance behind it; empty unless kReady.
    std::string instance;
    std::optional<std::string> address;
    std::map<int, Endpoint> published;
    std::shared_ptr<InstanceUse> use;
    bool wake_on_request = false;  // a request may start it where it is stopped

    // Where `port` is reached; absent where it cannot be.
    std::optional<Endpoint> endpoint(int port) const {
        if (auto found = published.find(port); found != published.end()) return found->second;
        if (!address) return std::nullopt;
        return Endpoint{*address, port};
    }
};

struct RouteTable {
    std::uint64_t version = 0;
    // Every workspace that exists, also stopped ones: what is not here does not exist.
    std::unordered_map<base::WorkspaceId, std::shared_ptr<const Route>> routes;
    // (owner, type) → the workspace that a path like /vscode/ means for this caller.
    std::map<std::pair<base::UserId, std::string>, base::WorkspaceId> defaults;
    // What others than the owners may use; null: nothing. The same object in each table until that changes.
    std::shared_ptr<const Sharings> sharings;

    const Route* find(const base::WorkspaceId& id) const {
        auto found = routes.find(id);
        return found == routes.end() ? nullptr : found->second.get();
    }
    std::span<const Sharing> sharings_of(const base::WorkspaceId& id) const {
        if (!sharings) return {};
        auto found = sharings->find(id);
        return found == sharings->end() ? std::span<const Sharing>() : found->second;
    }
};

}  // namespace agentdb9::model
