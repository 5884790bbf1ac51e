// What containers may use, and giving them other limits while they run. Engine API v1.41, ContainerInspect
// and ContainerUpdate.
#include <cmath>

#include "base/log.hpp"
#include "runtime/docker/docker_runtime.hpp"
#include "runtime/docker/failure.hpp"
#include "runtime/docker/objects.hpp"
#include "runtime/docker/usage.hpp"

namespace agentdb9::runtime::docker {

Task<std::optional<model::ResourceLimits>> DockerRuntime::instance_limits(std::string id) {
    if (!co_await is_ours(id)) co_return std::nullopt;
    const auto answer = co_await engine_.call("GET", "/containers/" + percent_encode(id) + "/json");
    if (answer.status == 404) co_return std::nullopt;
    if (!answer.ok()) throw_failure(answer, "inspect container");
    const auto parsed = answer.parsed();
    co_return parsed.is_object() ? limits_from(parsed.get_object()) : std::nullopt;
}

// 1. What it has now tells whether it would get less memory. 2. A kernel that is told of less than is in use
// drops what it can and then ends processes: what it uses is looked at before. 3. The rest is given in any
// case.
Task<LimitsUpdate> DockerRuntime::update_limits(std::string id, model::ResourceLimits limits) {
    const auto has = co_await instance_limits(id);
    if (!has) throw instance_not_found();
    LimitsUpdate update;
    if (limits.memory_mb < has->memory_mb) {
        const auto answer = co_await engine_.call(
            "GET", "/containers/" + percent_encode(id) + "/stats?stream=false&one-shot=true");
        if (!answer.ok()) throw_instance_failure(answer, "read statistics");
        const auto used = memory_in_use(answer.parsed());
        if (!model::fits_in_memory(used, limits.memory_mb)) {
            update.memory_in_use_bytes = used;
            limits.memory_mb = has->memory_mb;
            limits.memory_reservation_mb = has->memory_reservation_mb;
        }
    }
    const auto answer =
        co_await engine_.call("POST", "/containers/" + percent_encode(id) + "/update", update_body(limits));
    if (!answer.ok()) throw_instance_failure(answer, "update container");
    co_return update;
}

}  // namespace agentdb9::runtime::docker
