// A runtime of which each call is a point at which the server may be killed, by the name of the call. Control
// executor only.
#pragma once

#include "runtime/runtime.hpp"
#include "support/kill_points/kill_points.hpp"

namespace agentdb9::testing {

class KillableRuntime final : public runtime::Runtime {
  public:
    KillableRuntime(runtime::Runtime& runtime, KillPoints& points) : runtime_(runtime), points_(points) {}

    Task<runtime::RuntimeInfo> info() override { return meet("info", runtime_.info()); }
    Task<> prepare() override { return meet("prepare", runtime_.prepare()); }
    Task<std::vector<model::Instance>> instances() override {
        return meet("instances", runtime_.instances());
    }
    Task<std::vector<model::Instance>> instances(base::WorkspaceId workspace) override {
        return meet("instances_of", runtime_.instances(workspace));
    }
    Task<std::vector<model::Instance>> instances_on_volume(std::string volume) override {
        return meet("instances_on_volume", runtime_.instances_on_volume(std::move(volume)));
    }
    Task<bool> has_image(std::string image) override {
        return meet("has_image", runtime_.has_image(std::move(image)));
    }
    Task<bool> can_pull(std::string image) override {
        return meet("can_pull", runtime_.can_pull(std::move(image)));
    }
    Task<> ensure_image(std::string image,
                        std::function<void(const runtime::PullProgress&)> progress) override {
        return meet("ensure_image", runtime_.ensure_image(std::move(image), std::move(progress)));
    }
    Task<std::optional<std::string>> image_id(std::string image) override {
        return meet("image_id", runtime_.image_id(std::move(image)));
    }
    Task<> remove_image(std::string image) override {
        return meet("remove_image", runtime_.remove_image(std::move(image)));
    }
    Task<std::string> create_instance(model::InstanceSpec spec, std::string name) override {
        return meet("create_instance", runtime_.create_instance(std::move(spec), std::move(name)));
    }
    Task<> start_instance(std::string id) override {
        return meet("start_instance", runtime_.start_instance(std::move(id)));
    }
    Task<> stop_instance(std::string id, std::chrono::seconds grace) override {
        return meet("stop_instance", runtime_.stop_instance(std::move(id), grace));
    }
    Task<> pause_instance(std::string id) override {
        return meet("pause_instance", runtime_.pause_instance(std::move(id)));
    }
    Task<> resume_instance(std::string id) override {
        return meet("resume_instance", runtime_.resume_instance(std::move(id)));
    }
    Task<std::optional<model::ResourceLimits>> instance_limits(std::string id) override {
        return meet("instance_limits", runtime_.instance_limits(std::move(id)));
    }
    Task<runtime::LimitsUpdate> update_limits(std::string id, model::ResourceLimits limits) override {
        return meet("update_limits", runtime_.update_limits(std::move(id), std::move(limits)));
    }
    Task<> rename_instance(std::string id, std::string name) override {
        return meet("rename_instance", runtime_.rename_instance(std::move(id), std::move(name)));
    }
    Task<> remove_instance(std::string id) override {
        return meet("remove_instance", runtime_.remove_instance(std::move(id)));
    }
    Task<std::string> last_output(std::string id, int lines) override {
        return meet("last_output", runtime_.last_output(std::move(id), lines));
    }
    Task<runtime::Volume> ensure_volume(runtime::VolumeSpec spec) override {
        return meet("ensure_volume", runtime_.ensure_volume(std::move(spec)));
    }
    Task<std::optional<runtime::Volume>> find_volume(std::string name) override {
        return meet("find_volume", runtime_.find_volume(std::move(name)));
    }
    Task<std::vector<runtime::Volume>> volumes() override { return meet("volumes", runtime_.volumes()); }
    Task<std::map<std::string, std::int64_t>> volume_sizes() override {
        return meet("volume_sizes", runtime_.volume_sizes());
    }
    Task<> remove_volume(std::string name) override {
        return meet("remove_volume", runtime_.remove_volume(std::move(name)));
    }
    Task<runtime::ProbeOutcome> probe(model::Endpoint endpoint, std::optional<std::string> path,
                                      std::chrono::milliseconds limit) override {
        return meet("probe", runtime_.probe(std::move(endpoint), std::move(path), limit));
    }
    // No point: it never ends.
    Task<> watch(runtime::EventSink& sink) override { return runtime_.watch(sink); }

  private:
    // The call begins when it is awaited here, not when it was made.
    template <class T>
    Task<T> meet(std::string name, Task<T> call) {
        KillPoints::Point point(points_, std::move(name));
        if constexpr (std::is_void_v<T>) {
            co_await std::move(call);
            point.passed();
        } else {
            T result = co_await std::move(call);
            point.passed();
            co_return result;
        }
    }

    runtime::Runtime& runtime_;
    KillPoints& points_;
};

}  // namespace agentdb9::testing
