#include "support/simulation/engine.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace agentdb9::test {

using base::Error;
using base::ErrorCode;
using model::InstanceState;
using runtime::EventKind;

namespace {

[[noreturn]] void refuse(const std::string& internal) {
    throw Error(ErrorCode::kUpstream, "runtime_error", "The container engine could not do this; try again.")
        .with_internal(internal);
}

}  // namespace

EngineInstance* SimulatedEngine::find(const std::string& id) {
    auto found = instances_.find(id);
    return found == instances_.end() ? nullptr : &found->second;
}

EngineInstance& SimulatedEngine::require(const std::string& id) {
    if (auto* found = find(id)) return *found;
    throw Error(ErrorCode::kNotFound, "instance_not_found", "The container is not there any more.");
}

std::string SimulatedEngine::create(const base::InstallationId& installation, const model::InstanceSpec& spec,
                                    const std::string& name) {
    const auto hash = model::spec_hash(spec);
    for (const auto& [id, each] : instances_) {
        if (each.instance.name != name) continue;
        if (each.installation == installation && each.instance.workspace_id == spec.workspace_id &&
            each.instance.generation == spec.generation && each.instance.spec == hash &&
            each.instance.state == InstanceState::kCreated) {
            return id;
        }
        throw base::conflict("instance_name_taken", "Another container has this name.");
    }
    if (!images_.contains(spec.image)) throw base::conflict("image_unavailable", "The image is not there.");
    for (const auto& mount : spec.mounts) {
        if (!volumes_.contains(mount.volume)) refuse("a volume that was not made before");
    }
    const auto number = ++made_;
    EngineInstance made{.instance = {.id = "c" + std::to_string(number), .workspace_id = spec.workspace_id},
                        .installation = installation,
                        .spec = spec,
                        .ready_at = {},
                        .died_at = {}};
    auto& instance = made.instance;
    instance.name = name;
    instance.user_id = spec.user_id;
    instance.project_id = spec.project_id;
    instance.workspace_type = spec.workspace_type;
    instance.generation = spec.generation;
    instance.spec = hash;
    instance.image = spec.image;
    for (const auto& mount : spec.mounts)
        instance.volumes.push_back(mount.volume);
    // Never one that another had.
    instance.address = "10." + std::to_string(number / 65536) + "." + std::to_string(number / 256 % 256) +
                       "." + std::to_string(number % 256);
    instance.created_at = clock_.now();
    note(made, "created, generation " + std::to_string(spec.generation) + ", as " + name);
    auto id = instance.id;
    instances_.emplace(id, std::move(made));
    return id;
}

void SimulatedEngine::go_live(EngineInstance& which, InstanceState state) {
    const bool was_live = model::holds_volumes(which.instance.state);
    which.instance.state = state;
    if (state == InstanceState::kRunning) {
        ++which.starts;
        which.ill = false;
        which.instance.health = model::InstanceHealth::kNone;
        await_illness(which);
        which.ready_at.reset();
        if (!random_.chance(never_ready_))
            which.ready_at = clock_.steady_now() + random_.between(base::Duration(0), base::Duration(1500));
        for (const auto& volume : which.instance.volumes) {
            if (auto found = volumes_.find(volume); found != volumes_.end())
                found->second.written.insert(which.instance.id);
        }
    }
    if (!was_live && hooks_.went_live) hooks_.went_live(which);
}

void SimulatedEngine::start(const std::string& id) {
    auto& which = require(id);
    switch (which.instance.state) {
        case InstanceState::kRunning:
        case InstanceState::kRestarting:
            return;
        case InstanceState::kPaused:
            refuse("cannot start a paused container");
        case InstanceState::kRemoving:
        case InstanceState::kDead:
            refuse("container is marked for removal");
        case InstanceState::kCreated:
        case InstanceState::kExited:
            break;
    }
    note(which, "starts");
    go_live(which, InstanceState::kRunning);
    emit(which, EventKind::kStarted);
}

void SimulatedEngine::stop(const std::string& id) {
    auto* which = find(id);
    if (which == nullptr || !model::holds_volumes(which->instance.state)) return;
    note(*which, "stops");
    which->instance.state = InstanceState::kExited;
    which->died_at = clock_.steady_now();
    emit_death(*which, true);
}

void SimulatedEngine::resume(const std::string& id) {
    auto& which = require(id);
    if (which.instance.state != InstanceState::kPaused) return;
    note(which, "resumes");
    which.instance.state = InstanceState::kRunning;
    emit(which, EventKind::kOther);
    // While it was paused it could not fall ill.
    await_illness(which);
}

std::optional<std::uint64_t> SimulatedEngine::update_limits(const std::string& id,
                                                            const model::ResourceLimits& limits) {
    auto& which = require(id);
    if (which.instance.state == InstanceState::kRemoving || which.instance.state == InstanceState::kDead)
        refuse("container is marked for removal");
    auto& has = which.spec.limits;
    note(which, "has other limits");
    has.cpus = limits.cpus;
    has.pids = limits.pids;
    const bool less = limits.memory_mb < has.memory_mb;
    if (less && model::holds_volumes(which.instance.state) &&
        !model::fits_in_memory(which.memory_in_use_bytes, limits.memory_mb))
        return which.memory_in_use_bytes;
    has.memory_mb = limits.memory_mb;
    if (limits.memory_reservation_mb != 0) has.memory_reservation_mb = limits.memory_reservation_mb;
    return std::nullopt;
}

void SimulatedEngine::rename(const std::string& id, const std::string& name) {
    auto& which = require(id);
    if (which.instance.name == name) return;
    for (const auto& [other, each] : instances_) {
        if (each.instance.name == name)
            throw base::conflict("instance_name_taken", "Another container has this name.");
    }
    note(which, "is now called " + name);
    which.instance.name = name;
    emit(which, EventKind::kOther);
}

void SimulatedEngine::remove(const std::string& id) {
    auto* which = find(id);
    if (which == nullptr) return;
    note(*which, "is removed");
    if (model::holds_volumes(which->instance.state)) {
        which->instance.state = InstanceState::kExited;
        emit_death(*which, true);
    }
    emit(*which, EventKind::kRemoved);
    instances_.erase(id);
}

runtime::Volume SimulatedEngine::make_volume(const base::InstallationId& installation,
                                             const runtime::VolumeSpec& spec) {
    auto found = volumes_.find(spec.name);
    if (found == volumes_.end()) {
        runtime::Volume volume{.name = spec.name, .path = "/volumes/" + spec.name};
        volume.project_id = spec.project_id;
        volume.workspace_id = spec.workspace_id;
        volume.user_id = spec.user_id;
        volume.created_at = clock_.now();
        if (hooks_.note) hooks_.note("volume " + spec.name + " is made");
        found = volumes_.emplace(spec.name, EngineVolume{volume, installation, ++made_, {}, 0}).first;
    } else if (found->second.installation != installation) {
        throw base::conflict("volume_not_ours", "This volume is another installation's.");
    }
    auto volume = found->second.volume;
    volume.ours = true;
    return volume;
}

void SimulatedEngine::remove_volume(const base::InstallationId& installation, const std::string& name) {
    auto found = volumes_.find(name);
    if (found == volumes_.end()) return;
    if (found->second.installation != installation)
        throw base::conflict("volume_not_ours", "This volume is another installation's.");
    for (const auto& [id, each] : instances_) {
        if (std::ranges::count(each.instance.volumes, name) > 0)
            throw base::conflict("volume_in_use", "A container mounts this volume.");
    }
    if (hooks_.note) hooks_.note("volume " + name + " is removed");
    if (hooks_.volume_removed) hooks_.volume_removed(found->second);
    volumes_.erase(found);
}

std::string SimulatedEngine::answering(const model::Endpoint& endpoint) const {
    for (const auto& [id, each] : instances_) {
        if (each.instance.address == endpoint.host && each.spec.port == endpoint.port &&
            each.instance.state == InstanceState::kRunning && each.ready_at &&
            *each.ready_at <= clock_.steady_now())
            return id;
    }
    return {};
}

void SimulatedEngine::die(const std::string& id, bool restarts) {
    auto* which = find(id);
    if (which == nullptr || which->instance.state != InstanceState::kRunning) return;
    note(*which, restarts ? "dies and is restarted" : "dies");
    which->instance.state = restarts ? InstanceState::kRestarting : InstanceState::kExited;
    which->died_at = clock_.steady_now();
    emit_death(*which, false);
    if (!restarts) return;
    clock_.call_in(random_.between(base::Duration(100), base::Duration(3000)), [this, id] {
        auto* again = find(id);
        if (again == nullptr || again->instance.state != InstanceState::kRestarting) return;
        note(*again, "is up again");
        go_live(*again, InstanceState::kRunning);
        emit(*again, EventKind::kStarted);
    });
}

void SimulatedEngine::pause(const std::string& id) {
    auto* which = find(id);
    if (which == nullptr || which->instance.state != InstanceState::kRunning) return;
    note(*which, "is paused");
    which->instance.state = InstanceState::kPaused;
    emit(*which, EventKind::kOther);
}

void SimulatedEngine::await_illness(const EngineInstance& which) {
    if (!which.cursed) return;
    clock_.call_in(random_.between(base::Duration(2000), base::Duration(30000)),
                   [this, id = which.instance.id, start = which.starts] {
                       const auto* again = find(id);
                       if (again != nullptr && again->starts == start) fall_ill(id);
                   });
}

void SimulatedEngine::fall_ill(const std::string& id) {
    auto* which = find(id);
    if (which == nullptr || which->instance.state != InstanceState::kRunning) return;
    note(*which, "answers no more");
    // Twice in a row it is ill still.
    which->ill = which->ill || (which->ready_at && *which->ready_at <= clock_.steady_now());
    which->ready_at.reset();
}

void SimulatedEngine::set_health(const std::string& id, model::InstanceHealth health) {
    auto* which = find(id);
    if (which == nullptr || which->instance.state != InstanceState::kRunning) return;
    note(*which, health == model::InstanceHealth::kUnhealthy ? "is unhealthy, says its image"
                                                             : "is well, says its image");
    which->instance.health = health;
    emit(*which, EventKind::kOther);
}

void SimulatedEngine::begin_removal(const std::string& id, base::Duration takes) {
    auto* which = find(id);
    if (which == nullptr) return;
    note(*which, "is being removed");
    const bool was_live = model::holds_volumes(which->instance.state);
    which->instance.state = InstanceState::kRemoving;
    which->died_at = clock_.steady_now();
    if (was_live) emit_death(*which, true);
    clock_.call_in(takes, [this, id] { remove(id); });
}

void SimulatedEngine::restart_engine() {
    for (auto& [id, each] : instances_) {
        if (!model::holds_volumes(each.instance.state)) continue;
        each.instance.state = InstanceState::kExited;
        each.died_at = clock_.steady_now();
        note(each, "ends with the engine");
        if (random_.chance(0.8)) go_live(each, InstanceState::kRunning);
    }
}

std::uint64_t SimulatedEngine::subscribe(std::function<void(const EngineEvent&)> subscriber) {
    subscribers_.emplace(++subscriptions_, std::move(subscriber));
    return subscriptions_;
}

void SimulatedEngine::emit_death(const EngineInstance& which, bool asked) {
    const runtime::Death death{
        .exit_code = asked ? 0 : 1, .asked = asked, .at_ns = base::to_unix_ms(clock_.now()) * 1'000'000};
    const EngineEvent event{which.installation, which.instance.workspace_id, which.instance.id,
                            EventKind::kDied, death};
    for (const auto& [id, subscriber] : subscribers_)
        subscriber(event);
}

void SimulatedEngine::emit(const EngineInstance& which, EventKind kind) {
    const EngineEvent event{which.installation, which.instance.workspace_id, which.instance.id, kind, {}};
    for (const auto& [id, subscriber] : subscribers_)
        subscriber(event);
}

void SimulatedEngine::note(const EngineInstance& which, std::string what) const {
    if (hooks_.note) hooks_.note(which.instance.id + " of " + which.instance.workspace_id.str() + " " + what);
}

}  // namespace agentdb9::test
