// What happens to the engine and its objects without the server's doing.
#include "simulation/world.hpp"

namespace agentdb9::simulation {

using base::Duration;

std::string World::any_instance() {
    std::vector<std::string> ours;
    for (const auto& [id, each] : engine_.instances()) {
        if (each.installation == machine_.installation) ours.push_back(id);
    }
    return ours.empty() ? std::string() : random_.pick(ours);
}

void World::leave(Duration for_how_long) {
    note("the engine goes away");
    engine_.set_away(true);
    server_->runtime.break_stream();
    loop_.clock().call_in(for_how_long, [this] {
        if (!engine_.away()) return;
        note("the engine is back");
        if (random_.chance(0.5)) engine_.restart_engine();
        engine_.set_away(false);
    });
}

void World::mischief() {
    if (random_.chance(0.1)) return leave(random_.between(Duration(100), Duration(15000)));
    if (random_.chance(0.1)) {
        note("the event stream breaks");
        return server_->runtime.break_stream();
    }
    if (random_.chance(0.05)) {
        engine_.images().erase(random_.pick(catalogue_.all()).container_image);
        return;
    }
    const auto id = any_instance();
    if (id.empty()) return;
    switch (random_.below(6)) {
        case 0:
            return engine_.die(id, false);
        case 1:
            return engine_.die(id, true);
        case 2:
            return engine_.begin_removal(id, random_.between(Duration(0), Duration(2000)));
        case 3:
            return engine_.stop(id);
        case 4:
            return engine_.pause(id);
        default:
            return engine_.rename(id, "somebody-s-" + std::to_string(random_.below(1000000)));
    }
}

}  // namespace agentdb9::simulation
