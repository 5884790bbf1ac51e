// The engine's event lines (Engine API, SystemEvents), read and freed of repetitions. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

#include "runtime/runtime.hpp"

namespace agentdb9::runtime::docker {

struct Event {
    base::WorkspaceId workspace;
    std::string instance;
    EventKind kind;
    std::string installation;  // its label; empty when it has none
    Death death;               // of kDied
};

class EventLog {
  public:
    // Absent for what does not concern an instance, cannot be read, or was told before.
    std::optional<Event> read(std::string_view line);
    // From when on to ask after a loss, as the engine's `since`: a little before the last event, because
    // events of one moment may arrive in either order. Never from before the first; absent until then.
    std::optional<std::string> since() const;

  private:
    // Told again is what has the same time, action and container. Times alone do not tell: they may arrive
    // out of order, and the engine's clock may be set back.
    using Key = std::tuple<std::int64_t, std::string, std::string>;
    bool is_new(Key key);
    // What was told of a container shortly before its end.
    struct Signs {
        std::int64_t killed_ns = 0;  // somebody asked the engine for a signal
        bool out_of_memory = false;
    };
    void note(const std::string& action, const std::string& id, std::int64_t at_ns);
    Death take_death(const std::string& id, const std::string& exit_code, std::int64_t at_ns);

    std::int64_t first_ns_ = 0;
    std::int64_t last_ns_ = 0;
    std::set<Key> told_;
    std::deque<Key> order_;
    std::map<std::string, Signs> signs_;  // until it ends; bounded
};

}  // namespace agentdb9::runtime::docker
