#include "runtime/docker/usage.hpp"

#include <algorithm>

#include "runtime/docker/objects.hpp"
#include "runtime/docker/output_reader.hpp"

namespace agentdb9::runtime::docker {
namespace {

// What is missing, or no whole number of a size that can be, is 0: cgroup v1 and v2 leave out different
// things.
std::uint64_t number_at(const json::object* object, std::string_view key) {
    const auto* value = object != nullptr ? object->if_contains(key) : nullptr;
    if (value == nullptr) return 0;
    if (value->is_uint64()) return value->get_uint64();
    if (value->is_int64() && value->get_int64() > 0) return static_cast<std::uint64_t>(value->get_int64());
    return 0;
}

const json::object* object_in(const json::object* object, std::string_view key) {
    return object != nullptr ? object_at(*object, key) : nullptr;
}

// As `docker stats` counts: the container's part of what all processors did between two looks.
// False: there was no look before, as in the first of a stream, and so no time to divide by.
bool read_processor(Usage& usage, const json::object& all) {
    const auto* now = object_at(all, "cpu_stats");
    const auto* before = object_at(all, "precpu_stats");
    const auto* used = object_in(now, "cpu_usage");
    usage.cpus = static_cast<int>(std::min<std::uint64_t>(number_at(now, "online_cpus"), 1U << 16));
    if (usage.cpus == 0 && used != nullptr) {
        // Engines before 17.06, and cgroup v1 only.
        const auto* each = used->if_contains("percpu_usage");
        if (each != nullptr && each->is_array()) usage.cpus = static_cast<int>(each->get_array().size());
    }
    const auto total = number_at(used, "total_usage");
    const auto total_before = number_at(object_in(before, "cpu_usage"), "total_usage");
    const auto system = number_at(now, "system_cpu_usage");
    const auto system_before = number_at(before, "system_cpu_usage");
    if (system_before == 0) return false;
    if (system <= system_before || total <= total_before) return true;
    usage.cpu_percent = static_cast<double>(total - total_before) /
                        static_cast<double>(system - system_before) * usage.cpus * 100.0;
    return true;
}

void read_memory(Usage& usage, const json::object& all) {
    const auto* memory = object_at(all, "memory_stats");
    const auto* more = object_in(memory, "stats");
    const auto total = number_at(memory, "usage");
    // v1 counts below the container in the fields that begin with total_, v2 does so in all.
    const bool v1 = more != nullptr && more->contains("total_inactive_file");
    const auto cache = number_at(more, v1 ? "total_inactive_file" : "inactive_file");
    usage.memory_cache_bytes = std::min(cache, total);
    usage.memory_bytes = total - usage.memory_cache_bytes;
    usage.memory_limit_bytes = number_at(memory, "limit");
}

void read_network(Usage& usage, const json::object& all) {
    const auto* networks = object_at(all, "networks");
    if (networks == nullptr) return;
    for (const auto& [name, value] : *networks) {
        const auto* network = value.if_object();
        usage.received_bytes += number_at(network, "rx_bytes");
        usage.sent_bytes += number_at(network, "tx_bytes");
    }
}

void read_block_devices(Usage& usage, const json::object& all) {
    const auto* devices = object_at(all, "blkio_stats");
    const auto* entries = devices != nullptr ? devices->if_contains("io_service_bytes_recursive") : nullptr;
    if (entries == nullptr || !entries->is_array()) return;
    for (const auto& value : entries->get_array()) {
        const auto* entry = value.if_object();
        if (entry == nullptr) continue;
        // "Read" by cgroup v1, "read" by v2; "Total" and others are sums of these.
        const auto operation = text_at(*entry, "op");
        if (operation == "Read" || operation == "read") usage.read_bytes += number_at(entry, "value");
        if (operation == "Write" || operation == "write") usage.written_bytes += number_at(entry, "value");
    }
}

// Of a container that does not run the engine says the year 1, and nothing else.
std::optional<std::int64_t> time_of(const json::value& statistics) {
    const auto* all = statistics.if_object();
    const auto at = all != nullptr ? read_nanoseconds(text_at(*all, "read")) : std::nullopt;
    return at && *at > 0 ? at : std::nullopt;
}

}  // namespace

std::uint64_t memory_in_use(const json::value& statistics) {
    Usage usage;
    if (const auto* all = statistics.if_object()) read_memory(usage, *all);
    return usage.memory_bytes;
}

bool is_running(const json::value& statistics) {
    return time_of(statistics).has_value();
}

std::optional<Usage> usage_from(const json::value& statistics) {
    const auto* all = statistics.if_object();
    const auto at = time_of(statistics);
    if (all == nullptr || !at) return std::nullopt;
    Usage usage{.at = base::from_unix_ms(*at / 1'000'000)};
    if (!read_processor(usage, *all)) return std::nullopt;
    read_memory(usage, *all);
    read_network(usage, *all);
    read_block_devices(usage, *all);
    usage.pids = number_at(object_at(*all, "pids_stats"), "current");
    return usage;
}

std::optional<model::UseCounters> counters_from(const json::value& statistics) {
    const auto* all = statistics.if_object();
    const auto at = time_of(statistics);
    if (all == nullptr || !at) return std::nullopt;
    Usage usage;
    read_block_devices(usage, *all);
    model::UseCounters counters{.at = base::from_unix_ms(*at / 1'000'000)};
    counters.cpu_ns = number_at(object_in(object_at(*all, "cpu_stats"), "cpu_usage"), "total_usage");
    counters.disk_bytes = usage.read_bytes + usage.written_bytes;
    return counters;
}

}  // namespace agentdb9::runtime::docker
