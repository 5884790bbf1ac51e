#include "model/limits.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace agentdb9::model {
namespace {

constexpr std::int64_t kMiB = 1024 * 1024;
constexpr std::int64_t kHeadroomMb = 16;

// Those that a container without capabilities can be given. Docker's names, which are getrlimit(2)'s.
constexpr std::array<std::string_view, 12> kUlimits{"core",  "cpu",     "data",   "fsize",
                                                    "locks", "memlock", "nofile", "msgqueue",
                                                    "nproc", "rss",     "stack",  "sigpending"};

std::string brief(double value) {
    if (value == std::floor(value) && std::abs(value) < 1e15)
        return std::to_string(static_cast<std::int64_t>(value));
    auto text = std::to_string(value);
    while (text.ends_with('0'))
        text.pop_back();
    return text;
}

class Check {
  public:
    template <class T>
    void within(const std::string& field, const std::optional<T>& value, Range range, double most,
                std::string_view unit) {
        if (!value) return;
        const auto top = std::min(range.most, most);
        if (static_cast<double>(*value) >= range.least && static_cast<double>(*value) <= top) return;
        auto text = "must be " + brief(range.least) + " to " + brief(top);
        if (!unit.empty()) text += " " + std::string(unit);
        add(field, text + ", the most that this server allows for the type");
    }
    void add(const std::string& field, std::string problem) {
        found.push_back({"resourceLimits." + field, std::move(problem)});
    }
    std::vector<base::FieldProblem> found;
};

template <class T>
void apply(std::optional<T>& value, const std::optional<std::optional<T>>& change) {
    if (change) value = *change;
}

bool same_cpus(double a, double b) {
    return std::abs(a - b) < 1e-6;  // engines keep whole billionths
}

// An engine takes no reservation of 0 for one that runs: it means "as it is" there.
bool takes_reservation_away(const ResourceLimits& has, const ResourceLimits& wanted) {
    return wanted.memory_reservation_mb == 0 && has.memory_reservation_mb != 0;
}

template <class T>
void put(json::object& object, std::string_view name, const std::optional<T>& value) {
    if (value) object[name] = *value;
}

std::optional<std::int64_t> integer_at(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    if (value == nullptr || !value->is_int64()) return std::nullopt;
    return value->get_int64();
}

}  // namespace

SomeLimits changed(SomeLimits limits, const LimitsChange& change) {
    if (change.reset) limits = {};
    apply(limits.cpus, change.cpus);
    apply(limits.memory_mb, change.memory_mb);
    apply(limits.memory_reservation_mb, change.memory_reservation_mb);
    apply(limits.pids, change.pids);
    apply(limits.shm_mb, change.shm_mb);
    if (change.reset_ulimits) limits.ulimits.clear();
    for (const auto& [name, value] : change.ulimits) {
        if (value) {
            limits.ulimits[name] = *value;
        } else {
            limits.ulimits.erase(name);
        }
    }
    return limits;
}

std::span<const std::string_view> ulimit_names() {
    return kUlimits;
}

bool is_ulimit_name(std::string_view name) {
    return std::ranges::find(kUlimits, name) != kUlimits.end();
}

ResourceLimits most_of(const ResourceLimits& of_type, const SomeLimits& bounds) {
    ResourceLimits most = of_type;
    most.cpus = bounds.cpus.value_or(of_type.cpus);
    most.memory_mb = bounds.memory_mb.value_or(of_type.memory_mb);
    most.memory_reservation_mb = bounds.memory_reservation_mb.value_or(most.memory_mb);
    most.pids = bounds.pids.value_or(of_type.pids);
    most.shm_mb = bounds.shm_mb.value_or(of_type.shm_mb);
    for (const auto& [name, value] : bounds.ulimits)
        most.ulimits[name] = value;
    return most;
}

std::vector<base::FieldProblem> problems_with(const SomeLimits& wanted, const ResourceLimits& of_type,
                                              const SomeLimits& bounds) {
    const auto most = most_of(of_type, bounds);
    Check check;
    check.within("cpus", wanted.cpus, kCpusRange, most.cpus, "processors");
    check.within("memory", wanted.memory_mb, kMemoryRange, static_cast<double>(most.memory_mb), "MB");
    check.within("memoryReservation", wanted.memory_reservation_mb, kReservationRange,
                 static_cast<double>(most.memory_reservation_mb), "MB");
    check.within("pids", wanted.pids, kPidsRange, static_cast<double>(most.pids), "processes and threads");
    check.within("shmSize", wanted.shm_mb, kShmRange, static_cast<double>(most.shm_mb), "MB");
    const auto memory = std::min(wanted.memory_mb.value_or(of_type.memory_mb), most.memory_mb);
    if (check.found.empty() && wanted.memory_reservation_mb && *wanted.memory_reservation_mb > memory) {
        check.add("memoryReservation",
                  "must not be more than the workspace's memory, " + std::to_string(memory) + " MB");
    }
    for (const auto& [name, value] : wanted.ulimits) {
        const auto field = "ulimits." + name;
        const auto bound = most.ulimits.find(name);
        if (!is_ulimit_name(name)) {
            check.add(field, "is not the name of a limit that can be set");
        } else if (bound == most.ulimits.end()) {
            check.add(
                field,
                "cannot be set for this type: the server's operator allows it with maximumLimits.ulimits");
        } else {
            check.within(field, std::optional(value), kUlimitRange, static_cast<double>(bound->second), "");
        }
    }
    return std::move(check.found);
}

ResourceLimits in_force(const SomeLimits& wanted, const ResourceLimits& of_type, const SomeLimits& bounds) {
    const auto most = most_of(of_type, bounds);
    ResourceLimits limits;
    limits.cpus = std::min(wanted.cpus.value_or(of_type.cpus), most.cpus);
    limits.memory_mb = std::min(wanted.memory_mb.value_or(of_type.memory_mb), most.memory_mb);
    limits.memory_reservation_mb =
        std::min({wanted.memory_reservation_mb.value_or(of_type.memory_reservation_mb),
                  most.memory_reservation_mb, limits.memory_mb});
    limits.pids = std::min(wanted.pids.value_or(of_type.pids), most.pids);
    limits.shm_mb = std::min(wanted.shm_mb.value_or(of_type.shm_mb), most.shm_mb);
    limits.ulimits = of_type.ulimits;
    for (const auto& [name, value] : wanted.ulimits) {
        const auto bound = most.ulimits.find(name);
        if (bound != most.ulimits.end()) limits.ulimits[name] = std::min(value, bound->second);
    }
    return limits;
}

bool same_while_running(const ResourceLimits& has, const ResourceLimits& wanted) {
    return same_cpus(has.cpus, wanted.cpus) && has.memory_mb == wanted.memory_mb && has.pids == wanted.pids &&
           (has.memory_reservation_mb == wanted.memory_reservation_mb || takes_reservation_away(has, wanted));
}

bool same_when_made(const ResourceLimits& has, const ResourceLimits& wanted) {
    return has.shm_mb == wanted.shm_mb && has.ulimits == wanted.ulimits &&
           !takes_reservation_away(has, wanted);
}

std::vector<std::string> differences(const ResourceLimits& has, const ResourceLimits& wanted) {
    std::vector<std::string> fields;
    if (!same_cpus(has.cpus, wanted.cpus)) fields.emplace_back("cpus");
    if (has.memory_mb != wanted.memory_mb) fields.emplace_back("memory");
    if (has.memory_reservation_mb != wanted.memory_reservation_mb) fields.emplace_back("memoryReservation");
    if (has.pids != wanted.pids) fields.emplace_back("pids");
    if (has.shm_mb != wanted.shm_mb) fields.emplace_back("shmSize");
    if (has.ulimits != wanted.ulimits) fields.emplace_back("ulimits");
    return fields;
}

bool fits_in_memory(std::uint64_t used_bytes, std::int64_t memory_mb) {
    return used_bytes + static_cast<std::uint64_t>(kHeadroomMb * kMiB) <=
           static_cast<std::uint64_t>(memory_mb * kMiB);
}

json::object to_json(const ResourceLimits& limits) {
    return {{"cpus", limits.cpus},
            {"memory", limits.memory_mb},
            {"memoryReservation", limits.memory_reservation_mb},
            {"pids", limits.pids},
            {"shmSize", limits.shm_mb},
            {"ulimits", json::value_from(limits.ulimits)}};
}

json::object to_json(const SomeLimits& limits) {
    json::object object;
    put(object, "cpus", limits.cpus);
    put(object, "memory", limits.memory_mb);
    put(object, "memoryReservation", limits.memory_reservation_mb);
    put(object, "pids", limits.pids);
    put(object, "shmSize", limits.shm_mb);
    if (!limits.ulimits.empty()) object["ulimits"] = json::value_from(limits.ulimits);
    return object;
}

SomeLimits some_limits_from(const json::object& object) {
    SomeLimits limits;
    if (const auto* cpus = object.if_contains("cpus"); cpus != nullptr && cpus->is_number())
        limits.cpus = cpus->to_number<double>();
    limits.memory_mb = integer_at(object, "memory");
    limits.memory_reservation_mb = integer_at(object, "memoryReservation");
    limits.pids = integer_at(object, "pids");
    limits.shm_mb = integer_at(object, "shmSize");
    if (const auto* ulimits = object.if_contains("ulimits"); ulimits != nullptr && ulimits->is_object()) {
        for (const auto& [name, value] : ulimits->get_object()) {
            if (value.is_int64()) limits.ulimits[std::string(name)] = value.get_int64();
        }
    }
    return limits;
}

}  // namespace agentdb9::model
