#include "simulation/world.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace agentdb9::simulation {

using base::Duration;

namespace {

// One that keeps a home and so switches by stopping first, and two that may overlap.
std::vector<model::WorkspaceType> types() {
    std::vector<model::WorkspaceType> chosen;
    for (auto& type : model::built_in_types()) {
        if (type.type != "vscode" && type.type != "spreadsheet" && type.type != "notebook") continue;
        type.health_check.interval = std::chrono::seconds(8);
        type.health_check.retries = 2;
        // One that is left to itself.
        type.health_check.restart = type.type != "notebook";
        chosen.push_back(std::move(type));
    }
    return chosen;
}

// How long the engine may take with what a server has given up, where several share the work (decision 0008).
constexpr Duration kGivenUpComes{900};
// By how much the servers' clocks are wrong at most.
constexpr Duration kMostSkew{3000};

void empty(store::SqliteStore& database) {
    database.transact_raw(store::Mode::kWrite, [](store::Connection& db) {
        for (const auto* table :
             {"workspaces", "projects", "agentdb9_operations", "agentdb9_volume_tombstones",
              "agentdb9_settings", "agentdb9_leases", "agentdb9_volume_claims", "agentdb9_life_events"})
            db.execute(std::string("DELETE FROM \"") + table + "\"");
    });
}

}  // namespace

World::World(std::uint64_t seed, store::SqliteStore& database, bool traced)
    : random_((test::seed_ids(seed), seed)),
      engine_(loop_.clock(), random_),
      shared_(database, loop_.clock(), random_),
      catalogue_(types()),
      machine_{.loop = loop_,
               .random = random_,
               .engine = engine_,
               .database = database,
               .shared = shared_,
               .catalogue = catalogue_,
               .installation = base::InstallationId::generate(),
               .store_faults = {},
               .runtime_faults = {}},
      judge_(machine_),
      traced_(traced),
      stranger_(base::InstallationId::generate()) {
    empty(database);
    for (int i = 0; i < 2; ++i)
        users_.push_back(base::UserId::generate());
    for (const auto& type : catalogue_.all())
        engine_.images().insert(type.container_image);
    test::SimulatedEngine::Hooks hooks;
    hooks.went_live = [this](const auto& instance) { judge_.went_live(instance); };
    hooks.volume_removed = [this](const auto& volume) { judge_.volume_removed(volume); };
    if (traced_) hooks.note = [this](std::string what) { note("engine: " + std::move(what)); };
    engine_.set_hooks(std::move(hooks));
    loop_.on_idle([this] { judge_.idle(); });
}

World::~World() {
    for (auto& place : servers_)
        if (place) crash(place);
}

void World::note(std::string what) {
    if (!traced_) return;
    trace_.push_back(base::format_time(loop_.clock().now()).substr(11, 12) + " " + std::move(what));
    base::log::info(trace_.back());
}

void World::choose_faults() {
    several_ = random_.chance(0.5);
    if (several_) {
        machine_.runtime_faults.late = kGivenUpComes;
        judge_.expect_skew(kMostSkew);
    }
    crashes_ = random_.chance(0.6) ? 0.08 : 0.0;
    faulty_ = random_.chance(0.7);
    if (!faulty_) {
        judge_.expect_no_faults();
        return;
    }
    // Not everything at once: each schedule has a few troubles of its own.
    auto& faults = machine_.runtime_faults;
    if (random_.chance(0.4)) faults.fails_before = 0.03;
    if (random_.chance(0.4)) faults.fails_after = 0.03;
    if (random_.chance(0.3)) faults.slow = 0.05;
    if (random_.chance(0.3)) faults.loses_event = 0.1;
    if (random_.chance(0.3)) faults.breaks_stream = 0.05;
    if (random_.chance(0.2)) faults.dies_when_ready = 0.2;
    if (random_.chance(0.3)) machine_.store_faults.fails_before = 0.01;
    if (random_.chance(0.2)) machine_.store_faults.fails_after = 0.01;
    if (random_.chance(0.1)) engine_.set_never_ready(0.2);
    if (random_.chance(0.1)) engine_.images().erase(random_.pick(catalogue_.all()).container_image);
    if (random_.chance(0.05)) {
        const auto& image = random_.pick(catalogue_.all()).container_image;
        engine_.images().erase(image);
        faults.unavailable_images.insert(image);
    }
}

// Another installation on the same engine, which has a workspace and a project of its own.
void World::add_strangers() {
    const auto workspace = base::WorkspaceId::generate();
    const auto project = base::ProjectId::generate();
    const auto user = base::UserId::generate();
    const auto volume = engine_.make_volume(stranger_, {.name = model::project_volume_name(project),
                                                        .project_id = project,
                                                        .workspace_id = {},
                                                        .user_id = user});
    model::InstanceSpec spec{.workspace_id = workspace, .user_id = user, .project_id = project};
    spec.generation = 1;
    spec.image = catalogue_.all().front().container_image;
    engine_.images().insert(spec.image);
    spec.mounts.push_back({volume.name, "/workspace"});
    engine_.start(engine_.create(stranger_, spec, model::instance_name(workspace)));
}

// A few workspaces and projects of one user to begin with, so that they are in one another's way.
void World::furnish() {
    const auto up = [this] {
        return std::ranges::all_of(servers_, [](const Place& place) { return !place || place->up(); });
    };
    loop_.run_until(up, Duration(5000));
    auto* server = any_up();
    if (server == nullptr) return;
    for (auto count = 1 + random_.below(3); count > 0; --count)
        spawn(*server, "create a workspace",
              create_workspace(*server, users_.front(), random_.pick(catalogue_.all()).type));
    for (auto count = random_.below(3); count > 0; --count)
        spawn(*server, "create a project", create_project(*server, users_.front()));
}

void World::check_strangers() {
    // The engine itself may have restarted it; nobody else had a reason to.
    const auto named = std::ranges::count_if(engine_.instances(), [&](const auto& entry) {
        const auto& each = entry.second;
        return each.installation == stranger_ &&
               each.instance.name == model::instance_name(each.instance.workspace_id);
    });
    const auto kept = std::ranges::count_if(
        engine_.volumes(), [&](const auto& entry) { return entry.second.installation == stranger_; });
    if (named != 1 || kept != 1) judge_.accuse("another installation's objects were touched");
}

std::optional<Verdict> World::run() {
    add_strangers();
    choose_faults();
    boot_all();
    furnish();
    const auto actions = 6 + random_.below(18);
    for (std::size_t i = 0; i < actions && !wrong(); ++i)
        act();
    if (!wrong()) settle();
    if (!wrong()) empty_the_trash();
    if (!wrong()) check_strangers();
    if (!wrong()) return std::nullopt;
    note("wrong: " + *judge_.verdict());
    return Verdict{*judge_.verdict(), trace_};
}

void World::act() {
    // Mostly while the last request is still being worked on.
    const Duration gaps[] = {Duration(30), Duration(400), Duration(400), Duration(5000)};
    const auto gap =
        random_.chance(0.02) ? Duration(70000) : random_.between(Duration(0), random_.pick(gaps));
    loop_.run_until([this] { return wrong(); }, gap);
    if (random_.chance(crashes_)) {
        end_a_server();
    } else if (faulty_ && random_.chance(0.3)) {
        mischief();
    } else {
        request();
    }
}

// Between two steps of whatever is under way. Where there is another server, this one may stay away for long.
void World::end_a_server() {
    for (auto steps = random_.below(60); steps > 0; --steps)
        loop_.step();
    auto& place = random_.pick(servers_);
    const bool was_there = place != nullptr;
    if (was_there) {
        if (random_.chance(0.7)) {
            crash(place);
        } else {
            shut_down(place);
        }
        loop_.run_until([this] { return wrong(); }, random_.between(Duration(0), Duration(3000)));
    }
    if (!several_) {
        boot(servers_.front());
    } else if (!was_there || random_.chance(0.5)) {
        boot(place);
    }
}

void World::boot_all() {
    boot(servers_.front());
    if (several_) boot(servers_.back());
}

void World::boot(Place& place) {
    if (place) return;
    const auto name = several_ ? std::optional("server-" + std::to_string(++booted_)) : std::nullopt;
    note("the server starts" + (name ? ": " + *name : ""));
    place = std::make_unique<Server>(
        machine_, name, [this, &place](auto table) { judge_.published(place.get(), std::move(table)); });
    auto* server = place.get();
    judge_.server_began(server);
    server->runtime.on_told([this, server](const auto& event) { judge_.told(server, event); });
    if (several_) {
        server->clock.set_skew(random_.between(-kMostSkew, kMostSkew));
        server->runtime.on_change([this, name = *name](const auto& workspace, bool given_up) {
            judge_.acted(name, workspace, given_up);
        });
    }
    server->boot();
}

void World::crash(Place& place) {
    note("the server dies");
    // Mostly the database hears of it at once; not of a host that is gone from the network.
    const bool unheard = several_ && random_.chance(0.2);
    place->crash(unheard ? random_.between(Duration(0), Duration(15000)) : Duration(0));
    bury(place);
}

void World::shut_down(Place& place) {
    note("the server is told to end");
    if (!place->shut_down(Duration(15000)))
        return judge_.accuse("the server does not end when it is told to");
    bury(place);
}

void World::bury(Place& place) {
    judge_.server_ended(place.get());
    if (several_) graves_.push_back(std::move(place));
    place.reset();
}

Server* World::any_up() {
    std::vector<Server*> up;
    for (auto& place : servers_)
        if (place && place->up()) up.push_back(place.get());
    return up.empty() ? nullptr : random_.pick(up);
}

Server* World::any_alive() {
    std::vector<Server*> alive;
    for (auto& place : servers_)
        if (place) alive.push_back(place.get());
    return alive.empty() ? nullptr : random_.pick(alive);
}

bool World::all_hear_events() const {
    return std::ranges::all_of(servers_,
                               [](const Place& place) { return !place || place->runtime.hears_events(); });
}

std::size_t World::pending() const {
    std::size_t count = 0;
    for (const auto& place : servers_)
        if (place) count += place->pending;
    return count;
}

// Nothing goes wrong any more: everything has to come to what the users asked for, and stay so.
void World::settle() {
    note("quiet from now on");
    quiet_ = true;
    machine_.runtime_faults = {};
    machine_.store_faults = {};
    engine_.set_never_ready(0);
    mend_everything();
    // A server that died may be for ever; another finishes what it was at.
    if (any_alive() == nullptr) boot_all();
    std::optional<std::string> problem;
    const auto settled = [&] {
        problem = pending() > 0 ? "requests wait" : judge_.unsettled();
        // What happened while the engine was away nobody knows yet.
        if (!problem && !all_hear_events()) problem = "a server does not hear of events";
        return !problem;
    };
    // An application that never answers is given up after six tries of a minute each, and the pauses between.
    const auto until = loop_.clock().steady_now() + std::chrono::minutes(25);
    do {
        loop_.run_until([this] { return wrong(); }, Duration(3000));
    } while (!wrong() && !settled() && loop_.clock().steady_now() < until);
    if (problem) return judge_.accuse("does not settle: " + *problem);
    // A sweep later nothing has moved.
    loop_.run_until([this] { return wrong(); }, Duration(40000));
    if (!settled()) return judge_.accuse("does not stay settled: " + *problem);
    if (auto lost = judge_.lost_or_left_over()) judge_.accuse(*lost);
}

// The clock jumps over the time in the trash. That alone removes nothing; once somebody says that all is
// well, what is due goes and nothing else.
void World::empty_the_trash() {
    auto& volumes = any_alive()->volumes;
    loop_.run(volumes.heartbeat());
    loop_.clock().jump(kTrashTime + std::chrono::hours(1));
    loop_.run(volumes.heartbeat());
    if (!loop_.run(volumes.cleanup_orphaned_volumes()).empty())
        judge_.accuse("volumes were purged after a jump of the clock");
    loop_.run(volumes.resume_purge());
    loop_.run(volumes.cleanup_orphaned_volumes());
    // What a stopped container refers to goes in a later round: in the first its workspace is looked at.
    loop_.run_until([this] { return wrong(); }, Duration(3000));
    loop_.run(volumes.cleanup_orphaned_volumes());
    if (const auto left = loop_.run(volumes.trash(std::nullopt)); !left.empty())
        judge_.accuse("volume " + left.front().volume_name + " stays in the trash for ever");
    if (auto lost = judge_.lost_or_left_over()) judge_.accuse(*lost);
    if (auto problem = judge_.unsettled()) judge_.accuse(*problem);
}

}  // namespace agentdb9::simulation
