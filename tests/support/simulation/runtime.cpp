#include "support/simulation/runtime.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <deque>
#include <stdexcept>

#include "base/error.hpp"

namespace agentdb9::test {

using base::Duration;
using base::Error;
using base::ErrorCode;
using runtime::EventKind;

namespace {

constexpr Duration kCallLimit{10000};

Error unavailable() {
    return {ErrorCode::kUnavailable, "runtime_unavailable", "The container engine does not answer."};
}

}  // namespace

// Told in order and after a moment, until it breaks.
struct SimulatedRuntime::Stream {
    explicit Stream(const asio::any_io_executor& executor) : changed(executor) {}
    base::Signal changed;
    std::deque<std::pair<base::SteadyTime, EngineEvent>> events;
    bool broken = false;
};

// A refusal reaches nobody.
template <class F>
void SimulatedRuntime::carry_out_unheard(F& effect) {
    unheard_ = true;
    try {
        effect();
    } catch (const Error&) {
        unheard_ = false;
        return;
    }
    unheard_ = false;
}

template <class F>
Task<std::invoke_result_t<F&>> SimulatedRuntime::call(Duration takes, F effect) {
    using R = std::invoke_result_t<F&>;
    if (dead_) throw boost::system::system_error(asio::error::operation_aborted);
    std::optional<Error> before;
    std::optional<Error> after;
    const bool timed_out = random_.chance(0.3);
    const auto failure = [&] {
        if (timed_out)
            return Error(ErrorCode::kTimeout, "runtime_timeout", "The engine did not answer in time.");
        if (random_.chance(0.5)) return unavailable();
        return Error(ErrorCode::kUpstream, "runtime_error", "The container engine could not do this.");
    };
    if (random_.chance(faults_.fails_before)) before = failure();
    if (random_.chance(faults_.fails_after)) after = failure();
    if (random_.chance(drags_ ? 0.5 : faults_.slow)) takes += random_.between(Duration(500), Duration(9000));
    try {
        co_await clock_.sleep_for(random_.between(Duration(0), takes));
    } catch (...) {
        // The caller is gone while its request is on the way: the engine may have it nevertheless.
        if (!before && !engine_.away() && reachable_ && random_.chance(0.5)) {
            if (faults_.late == Duration(0)) {
                carry_out_unheard(effect);
            } else {
                clock_.call_in(random_.between(Duration(0), faults_.late),
                               [this, effect]() mutable { carry_out_unheard(effect); });
            }
        }
        throw;
    }
    if (dead_) throw boost::system::system_error(asio::error::operation_aborted);
    require_reachable();
    if (before) {
        if (timed_out) co_await clock_.sleep_for(kCallLimit);
        throw std::move(*before);
    }
    std::optional<std::conditional_t<std::is_void_v<R>, std::monostate, R>> result;
    if constexpr (std::is_void_v<R>) {
        effect();
    } else {
        result.emplace(effect());
    }
    co_await clock_.sleep_for(after && timed_out ? kCallLimit : random_.between(Duration(0), takes));
    require_reachable();
    if (after) throw std::move(*after);
    if constexpr (!std::is_void_v<R>) co_return std::move(*result);
}

void SimulatedRuntime::require_reachable() const {
    if (engine_.away() || !reachable_) throw unavailable();
}

// A server that names another installation's instance has broken the first rule.
void SimulatedRuntime::require_ours(const std::string& id) {
    const auto* found = engine_.find(id);
    if (found != nullptr && found->installation != installation_)
        throw std::logic_error("another installation's instance was named: " + id);
    if (found != nullptr) tell_change(found->instance.workspace_id);
}

void SimulatedRuntime::tell_change(const base::WorkspaceId& workspace) {
    if (changes_) changes_(workspace, unheard_);
}

std::vector<model::Instance> SimulatedRuntime::list(
    const std::function<bool(const EngineInstance&)>& wanted) {
    std::vector<model::Instance> found;
    for (const auto& [id, each] : engine_.instances()) {
        if (each.installation != installation_ || !wanted(each)) continue;
        found.push_back(each.instance);
        if (!model::holds_volumes(each.instance.state)) found.back().address.reset();
    }
    return found;
}

Task<runtime::RuntimeInfo> SimulatedRuntime::info() {
    return call(Duration(2), [] {
        return runtime::RuntimeInfo{
            .name = "simulated", .version = "1", .api_version = "1", .isolates_workspaces = true};
    });
}

Task<> SimulatedRuntime::prepare() {
    return call(Duration(2), [] {});
}

Task<std::vector<model::Instance>> SimulatedRuntime::instances() {
    return call(Duration(4), [this] { return list([](const EngineInstance&) { return true; }); });
}

Task<std::vector<model::Instance>> SimulatedRuntime::instances(base::WorkspaceId workspace) {
    return call(Duration(4), [this, workspace] {
        return list([&](const EngineInstance& each) { return each.instance.workspace_id == workspace; });
    });
}

Task<std::vector<model::Instance>> SimulatedRuntime::instances_on_volume(std::string volume) {
    return call(Duration(4), [this, volume] {
        return list([&](const EngineInstance& each) {
            return std::ranges::count(each.instance.volumes, volume) > 0;
        });
    });
}

Task<bool> SimulatedRuntime::has_image(std::string image) {
    return call(Duration(2), [this, image] { return engine_.images().contains(image); });
}

Task<bool> SimulatedRuntime::can_pull(std::string image) {
    return call(Duration(20), [this, image] { return !faults_.unavailable_images.contains(image); });
}

Task<> SimulatedRuntime::ensure_image(std::string image,
                                      std::function<void(const runtime::PullProgress&)> progress) {
    if (co_await has_image(image)) co_return;
    for (const int percent : {0, 40, 90}) {
        progress({"Downloading", percent});
        co_await clock_.sleep_for(random_.between(Duration(50), Duration(3000)));
    }
    co_await call(Duration(5), [this, image] {
        if (faults_.unavailable_images.contains(image))
            throw base::conflict("image_unavailable", "The image can be had from nowhere.");
        engine_.images().insert(image);
    });
}

Task<std::optional<std::string>> SimulatedRuntime::image_id(std::string image) {
    return call(Duration(2), [this, image] {
        return engine_.images().contains(image) ? std::optional("sha256:" + image) : std::nullopt;
    });
}

Task<> SimulatedRuntime::remove_image(std::string image) {
    return call(Duration(10), [this, image] {
        for (const auto& [id, instance] : engine_.instances()) {
            if (instance.instance.image == image)
                throw base::conflict("image_in_use", "A container uses the image.");
        }
        engine_.images().erase(image);
    });
}

Task<std::string> SimulatedRuntime::create_instance(model::InstanceSpec spec, std::string name) {
    return call(Duration(15), [this, spec, name] {
        tell_change(spec.workspace_id);
        return engine_.create(installation_, spec, name);
    });
}

Task<> SimulatedRuntime::start_instance(std::string id) {
    return call(Duration(300), [this, id] {
        require_ours(id);
        engine_.start(id);
    });
}

Task<> SimulatedRuntime::stop_instance(std::string id, std::chrono::seconds grace) {
    // Most applications end when they are asked to; some have to be ended.
    const auto most = std::chrono::duration_cast<Duration>(grace);
    const auto ends_after = random_.chance(0.9) ? std::min(most, Duration(300)) : most;
    return call(Duration(20) + ends_after, [this, id] {
        require_ours(id);
        engine_.stop(id);
    });
}

Task<> SimulatedRuntime::pause_instance(std::string id) {
    return call(Duration(10), [this, id] {
        require_ours(id);
        if (!model::holds_volumes(engine_.find(id)->instance.state))
            throw base::conflict("instance_not_running", "The container does not run.");
        engine_.pause(id);
    });
}

Task<> SimulatedRuntime::resume_instance(std::string id) {
    return call(Duration(10), [this, id] {
        require_ours(id);
        engine_.resume(id);
    });
}

Task<std::optional<model::ResourceLimits>> SimulatedRuntime::instance_limits(std::string id) {
    return call(Duration(2), [this, id]() -> std::optional<model::ResourceLimits> {
        const auto* found = engine_.find(id);
        if (found == nullptr || found->installation != installation_) return std::nullopt;
        return found->spec.limits;
    });
}

Task<runtime::LimitsUpdate> SimulatedRuntime::update_limits(std::string id, model::ResourceLimits limits) {
    return call(Duration(10), [this, id, limits] {
        require_ours(id);
        return runtime::LimitsUpdate{engine_.update_limits(id, limits)};
    });
}

Task<> SimulatedRuntime::rename_instance(std::string id, std::string name) {
    return call(Duration(4), [this, id, name] {
        require_ours(id);
        engine_.rename(id, name);
    });
}

Task<> SimulatedRuntime::remove_instance(std::string id) {
    // The engine goes on with a removal that is under way already.
    while (engine_.find(id) != nullptr &&
           engine_.find(id)->instance.state == model::InstanceState::kRemoving) {
        co_await call(Duration(4), [] {});
        co_await clock_.sleep_for(Duration(50));
    }
    co_await call(Duration(20), [this, id] {
        require_ours(id);
        engine_.remove(id);
    });
}

Task<std::string> SimulatedRuntime::last_output(std::string id, int) {
    return call(Duration(4), [this, id] {
        return engine_.find(id) == nullptr ? std::string() : "simulated output of " + id + "\n";
    });
}

Task<runtime::Volume> SimulatedRuntime::ensure_volume(runtime::VolumeSpec spec) {
    return call(Duration(4), [this, spec] { return engine_.make_volume(installation_, spec); });
}

Task<std::optional<runtime::Volume>> SimulatedRuntime::find_volume(std::string name) {
    return call(Duration(3), [this, name]() -> std::optional<runtime::Volume> {
        auto found = engine_.volumes().find(name);
        if (found == engine_.volumes().end()) return std::nullopt;
        auto volume = found->second.volume;
        volume.ours = found->second.installation == installation_;
        return volume;
    });
}

Task<std::vector<runtime::Volume>> SimulatedRuntime::volumes() {
    return call(Duration(4), [this] {
        std::vector<runtime::Volume> found;
        for (const auto& [name, each] : engine_.volumes()) {
            if (each.installation != installation_) continue;
            found.push_back(each.volume);
            found.back().ours = true;
        }
        return found;
    });
}

Task<std::map<std::string, std::int64_t>> SimulatedRuntime::volume_sizes() {
    return call(Duration(50), [this] {
        std::map<std::string, std::int64_t> sizes;
        for (const auto& [name, each] : engine_.volumes())
            if (each.installation == installation_) sizes.emplace(name, each.bytes);
        return sizes;
    });
}

Task<> SimulatedRuntime::remove_volume(std::string name) {
    return call(Duration(20), [this, name] { engine_.remove_volume(installation_, name); });
}

Task<runtime::ProbeOutcome> SimulatedRuntime::probe(model::Endpoint endpoint, std::optional<std::string>,
                                                    std::chrono::milliseconds) {
    // No engine is asked: a connection to the application itself.
    if (dead_) throw boost::system::system_error(asio::error::operation_aborted);
    co_await clock_.sleep_for(random_.between(Duration(0), Duration(4)));
    const auto answering = engine_.answering(endpoint);
    if (answering.empty()) co_return runtime::ProbeOutcome::kNotYet;
    if (random_.chance(faults_.dies_when_ready)) {
        clock_.call_in(random_.between(Duration(0), Duration(20)),
                       [&engine = engine_, answering, restarts = random_.chance(0.5)] {
                           engine.die(answering, restarts);
                       });
    }
    co_return runtime::ProbeOutcome::kReady;
}

void SimulatedRuntime::break_stream() {
    if (auto stream = stream_.lock()) {
        stream->broken = true;
        stream->changed.notify_all();
    }
}

bool SimulatedRuntime::hears_events() const {
    const auto stream = stream_.lock();
    return stream && !stream->broken;
}

Task<> SimulatedRuntime::watch(runtime::EventSink& sink) {
    auto pause = Duration(20);
    for (;;) {
        co_await clock_.sleep_for(random_.between(Duration(1), pause));
        pause = std::min(pause * 2, Duration(2000));
        if (engine_.away() || !reachable_) continue;
        auto stream = std::make_shared<Stream>(co_await asio::this_coro::executor);
        stream_ = stream;
        const auto subscription = engine_.subscribe([this, stream](const EngineEvent& event) {
            if (event.installation != installation_ || stream->broken) return;
            if (random_.chance(faults_.loses_event)) return;
            if (random_.chance(faults_.breaks_stream)) stream->broken = true;
            auto due = clock_.steady_now() + random_.between(Duration(0), Duration(10));
            if (!stream->events.empty()) due = std::max(due, stream->events.back().first);
            stream->events.emplace_back(due, event);
            stream->changed.notify_all();
        });
        const std::shared_ptr<void> guard(nullptr,
                                          [this, subscription](void*) { engine_.unsubscribe(subscription); });
        sink.on_connected();
        co_await follow(sink, stream);
        sink.on_disconnected();
        pause = Duration(20);
    }
}

Task<> SimulatedRuntime::follow(runtime::EventSink& sink, std::shared_ptr<Stream> stream) {
    while (!stream->broken) {
        if (stream->events.empty()) {
            co_await stream->changed.wait();
            continue;
        }
        const auto [due, event] = stream->events.front();
        const auto left = std::chrono::ceil<Duration>(due - clock_.steady_now());
        if (left.count() > 0) co_await clock_.sleep_for(left);
        if (stream->broken || dead_) co_return;
        stream->events.pop_front();
        if (event.kind == EventKind::kDied) sink.on_death(event.workspace, event.instance, event.death);
        sink.on_event(event.workspace, event.instance, event.kind);
        if (told_) told_(event);
    }
}

}  // namespace agentdb9::test
