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
    for (auto& place : servers_)
        if (place) place->runtime.break_stream();
    loop_.clock().call_in(for_how_long, [this] {
        if (!engine_.away()) return;
        note("the engine is back");
        if (random_.chance(0.5)) engine_.restart_engine();
        engine_.set_away(false);
    });
}

// What only servers that share a database know.
void World::trouble_between_servers(Server& server) {
    const auto dice = random_.below(10);
    if (dice < 5) return cut_off(server);
    if (dice < 7) return restart_database();
    if (dice < 9) {
        note(*server.store.server_name() + " does not reach the engine");
        server.runtime.cut();
        loop_.clock().call_in(random_.between(Duration(100), Duration(20000)),
                              [&server] { server.runtime.mend(); });
        return;
    }
    note(*server.store.server_name() + "'s clock is set");
    server.clock.set_skew(random_.between(Duration(-3000), Duration(3000)));
}

// The server reaches the engine, but not the database. Either end may notice at once, later, or, where the
// line is soon whole again, not at all.
void World::cut_off(Server& server) {
    const auto noticed = [this] {
        return random_.chance(0.5) ? Duration(0) : random_.between(Duration(0), Duration(15000));
    };
    note(*server.store.server_name() + " does not reach the database");
    server.store.cut({.server_notices = noticed(), .database_notices = noticed()});
    loop_.clock().call_in(random_.between(Duration(50), Duration(12000)), [&server] { server.store.mend(); });
}

// Right in the middle of what it was asked for just now, with an engine that is slow for it: the database
// counts the server as gone, and others take over, while it has not noticed and is still at it.
void World::cut_off_at_work(Server& server) {
    loop_.clock().call_in(random_.between(Duration(0), Duration(1500)), [this, &server] {
        if (quiet_ || !server.up()) return;
        note(*server.store.server_name() + " does not reach the database, which it does not notice");
        server.store.cut({.server_notices = Duration(15000), .database_notices = Duration(0)});
        server.runtime.drag(true);
        loop_.clock().call_in(random_.between(Duration(4000), Duration(14000)), [&server] {
            server.store.mend();
            server.runtime.drag(false);
        });
    });
}

void World::restart_database() {
    note("the database restarts");
    const auto away = random_.between(Duration(50), Duration(6000));
    for (auto& place : servers_) {
        if (!place) continue;
        place->store.cut({});
        loop_.clock().call_in(away, [server = place.get()] { server->store.mend(); });
    }
}

void World::mend_everything() {
    for (auto& place : servers_) {
        if (!place) continue;
        place->store.mend();
        place->runtime.mend();
        place->runtime.drag(false);
    }
}

void World::make_ill(const std::string& id) {
    switch (random_.below(4)) {
        case 0:
            return engine_.set_health(id, model::InstanceHealth::kUnhealthy);
        case 1:
            return engine_.set_health(id, model::InstanceHealth::kHealthy);
        case 2:
            engine_.find(id)->cursed = true;
            [[fallthrough]];
        default:
            return engine_.fall_ill(id);
    }
}

void World::mischief() {
    if (random_.chance(0.1)) return leave(random_.between(Duration(100), Duration(15000)));
    auto* server = any_alive();
    if (server != nullptr && random_.chance(0.1)) {
        note("the event stream breaks");
        return server->runtime.break_stream();
    }
    if (several_ && server != nullptr && random_.chance(0.35)) return trouble_between_servers(*server);
    if (random_.chance(0.05)) {
        engine_.images().erase(random_.pick(catalogue_.all()).container_image);
        return;
    }
    const auto id = any_instance();
    if (id.empty()) return;
    if (random_.chance(0.15)) return make_ill(id);
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
