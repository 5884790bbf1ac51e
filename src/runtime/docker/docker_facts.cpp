// What the operator is told of the engine: Engine API v1.41, SystemInfo.
#include "base/error.hpp"
#include "runtime/docker/docker_runtime.hpp"

namespace agentdb9::runtime::docker {
namespace {

// A limit that the engine says nothing of is enforced as far as anybody knows.
bool flag_at(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value == nullptr || !value->is_bool() || value->get_bool();
}

std::int64_t integer_at(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

}  // namespace

std::string DockerRuntime::address() const {
    return options_.host.empty() ? "unix:///var/run/docker.sock" : options_.host;
}

Task<json::object> DockerRuntime::system_info() {
    const auto answer = co_await engine_.call("GET", "/info");
    if (!answer.ok()) {
        throw base::Error(base::ErrorCode::kUpstream, "runtime_error",
                          "The container engine does not tell about itself; try again.")
            .with_internal(answer.message());
    }
    auto parsed = answer.parsed();
    co_return parsed.is_object() ? std::move(parsed.get_object()) : json::object();
}

Task<HostCapacity> DockerRuntime::capacity() {
    const auto known = co_await info();
    const auto object = co_await system_info();
    co_return HostCapacity{.name = known.name,
                           .version = known.version,
                           .api_version = known.api_version,
                           .cpus = static_cast<int>(integer_at(object, "NCPU")),
                           .memory_bytes = integer_at(object, "MemTotal")};
}

Task<EngineFacts> DockerRuntime::facts() {
    const auto known = co_await info();
    EngineFacts facts{.version = known.version, .api_version = known.api_version};
    facts.local = engine_.is_local();
    const auto object = co_await system_info();
    facts.storage_driver = text_at(object, "Driver");
    facts.root_directory = text_at(object, "DockerRootDir");
    facts.limits_memory = flag_at(object, "MemoryLimit");
    facts.limits_cpus = flag_at(object, "CpuCfsQuota");
    facts.limits_pids = flag_at(object, "PidsLimit");
    if (const auto network = co_await find_network()) {
        facts.network = EngineFacts::Network{.isolates = network->isolates,
                                             .subnet = network->subnet.value_or("not ours to choose in")};
        co_await look_at_firewall(*network, *facts.network);
    }
    co_return facts;
}

}  // namespace agentdb9::runtime::docker
