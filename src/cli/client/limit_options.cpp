#include "cli/client/limit_options.hpp"

#include <CLI/CLI.hpp>
#include <charconv>

namespace agentdb9::cli::client {
namespace {

constexpr std::int64_t kMost = std::int64_t{1} << 50;

// Absent for what is not NAME=NUMBER.
std::optional<std::pair<std::string, std::int64_t>> read_ulimit(const std::string& text) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0) return std::nullopt;
    std::int64_t value = 0;
    const auto* begin = text.data() + equals + 1;
    const auto* end = text.data() + text.size();
    const auto [stopped, ec] = std::from_chars(begin, end, value);
    if (ec != std::errc() || stopped != end || begin == end || value < 0) return std::nullopt;
    return std::pair(text.substr(0, equals), value);
}

template <class T>
void put(json::object& object, const char* name, const std::optional<T>& value, bool reset) {
    if (value) {
        object[name] = *value;
    } else if (reset) {
        object[name] = nullptr;
    }
}

}  // namespace

bool LimitOptions::empty() const {
    return !cpus && !memory_mb && !memory_reservation_mb && !pids && !shm_mb && ulimits.empty();
}

void add_limit_options(CLI::App& command, const std::shared_ptr<LimitOptions>& options) {
    const CLI::Range whole(std::int64_t{0}, kMost);
    command.add_option("--cpus", options->cpus, "Processors, such as 1.5")
        ->type_name("N")
        ->check(CLI::Range(0.0, 1e6));
    command.add_option("--memory", options->memory_mb, "Memory in MB")->type_name("MB")->check(whole);
    command.add_option("--memory-reservation", options->memory_reservation_mb, "Memory kept for it, in MB")
        ->type_name("MB")
        ->check(whole);
    command.add_option("--pids", options->pids, "Processes and threads")->type_name("N")->check(whole);
    command.add_option("--shm-size", options->shm_mb, "Size of /dev/shm in MB")
        ->type_name("MB")
        ->check(whole);
    command
        .add_option("--ulimit", options->ulimits, "A limit of its processes, such as nofile=4096; repeatable")
        ->type_name("NAME=N")
        ->allow_extra_args(false)
        ->check([](const std::string& text) {
            return read_ulimit(text) ? "" : "must be NAME=NUMBER, such as nofile=4096";
        });
}

json::value limits_body(const LimitOptions& options, bool reset) {
    if (reset && options.empty()) return nullptr;
    json::object body;
    put(body, "cpus", options.cpus, reset);
    put(body, "memory", options.memory_mb, reset);
    put(body, "memoryReservation", options.memory_reservation_mb, reset);
    put(body, "pids", options.pids, reset);
    put(body, "shmSize", options.shm_mb, reset);
    if (!options.ulimits.empty()) {
        json::object ulimits;
        for (const auto& text : options.ulimits) {
            if (const auto read = read_ulimit(text)) ulimits[read->first] = read->second;
        }
        body["ulimits"] = std::move(ulimits);
    } else if (reset) {
        body["ulimits"] = nullptr;
    }
    return body;
}

}  // namespace agentdb9::cli::client
