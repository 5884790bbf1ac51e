#include "model/quota.hpp"

#include <cmath>

namespace agentdb9::model {
namespace {

template <class T>
std::optional<T> one_in_force(const std::optional<T>& of_one, const std::optional<T>& of_all) {
    const auto& chosen = of_one ? of_one : of_all;
    return chosen && *chosen > T{} ? chosen : std::nullopt;
}

// To millionths: differences of processors are no long numbers.
double rounded(double value) {
    return std::round(value * 1e6) / 1e6;
}

class Sum {
  public:
    template <class Limit, class Used>
    void check(std::string field, const std::optional<Limit>& limit, Used used, double asked) {
        // Billionths of a processor that additions lose do not count.
        constexpr double kSlack = 1e-9;
        if (!limit || static_cast<double>(used) + asked <= static_cast<double>(*limit) + kSlack) return;
        found.push_back({std::move(field), rounded(static_cast<double>(*limit)),
                         rounded(static_cast<double>(used)), rounded(asked)});
    }
    // Of what is measured, not counted: it is over already.
    void check_volumes(const Quota& quota, const QuotaUse& use) {
        if (quota.volume_bytes && use.volume_bytes && *use.volume_bytes > *quota.volume_bytes)
            check("volumeBytes", quota.volume_bytes, *use.volume_bytes, 0);
    }
    std::vector<QuotaExcess> found;
};

std::string brief(double value) {
    if (value == std::floor(value)) return std::to_string(static_cast<std::int64_t>(value));
    auto text = std::to_string(value);
    while (text.ends_with('0'))
        text.pop_back();
    return text;
}

std::string_view words_for(std::string_view field) {
    if (field == "workspaces") return "workspaces";
    if (field == "running") return "running workspaces";
    if (field == "cpus") return "processors of running workspaces";
    if (field == "memory") return "MB of memory of running workspaces";
    return "bytes in volumes";
}

template <class T>
json::value or_null(const std::optional<T>& value) {
    return value ? json::value(*value) : json::value(nullptr);
}

}  // namespace

Quota in_force(const Quota& of_one, const Quota& of_all) {
    return {.workspaces = one_in_force(of_one.workspaces, of_all.workspaces),
            .running = one_in_force(of_one.running, of_all.running),
            .cpus = one_in_force(of_one.cpus, of_all.cpus),
            .memory_mb = one_in_force(of_one.memory_mb, of_all.memory_mb),
            .volume_bytes = one_in_force(of_one.volume_bytes, of_all.volume_bytes)};
}

std::vector<QuotaExcess> excess_by_creating(const Quota& quota, const QuotaUse& use) {
    Sum sum;
    sum.check("workspaces", quota.workspaces, use.workspaces, 1);
    sum.check_volumes(quota, use);
    return std::move(sum.found);
}

std::vector<QuotaExcess> excess_by_files(const Quota& quota, const QuotaUse& use) {
    Sum sum;
    sum.check_volumes(quota, use);
    return std::move(sum.found);
}

std::vector<QuotaExcess> excess_by_starting(const Quota& quota, const QuotaUse& use,
                                            const ResourceLimits& limits) {
    Sum sum;
    sum.check("running", quota.running, use.running, 1);
    sum.check("cpus", quota.cpus, use.cpus, limits.cpus);
    sum.check("memory", quota.memory_mb, use.memory_mb, static_cast<double>(limits.memory_mb));
    sum.check_volumes(quota, use);
    return std::move(sum.found);
}

std::vector<QuotaExcess> excess_by_changing(const Quota& quota, const QuotaUse& use,
                                            const ResourceLimits& before, const ResourceLimits& now) {
    Sum sum;
    if (now.cpus > before.cpus) sum.check("cpus", quota.cpus, use.cpus, now.cpus - before.cpus);
    if (now.memory_mb > before.memory_mb) {
        sum.check("memory", quota.memory_mb, use.memory_mb,
                  static_cast<double>(now.memory_mb - before.memory_mb));
    }
    return std::move(sum.found);
}

base::Error quota_exceeded(base::ErrorCode code, const std::vector<QuotaExcess>& excess) {
    std::string sentence = "This is more than you may have:";
    std::vector<base::FieldProblem> details;
    for (const auto& each : excess) {
        auto problem = "at most " + brief(each.limit) + " " + std::string(words_for(each.field)) + ", " +
                       brief(each.used) + " in use";
        if (each.asked > 0) problem += ", " + brief(each.asked) + " asked for";
        sentence += (sentence.ends_with(':') ? " " : "; ") + problem;
        details.push_back({each.field, problem, base::Amounts{each.limit, each.used, each.asked}});
    }
    const bool starting = code == base::ErrorCode::kQuota;
    sentence +=
        starting
            ? ". Stop another workspace, or give it or this one less; or ask the server's operator for more."
            : ". Delete what you do not need, or ask the server's operator for more.";
    base::Error error(code, "quota_exceeded", std::move(sentence));
    for (auto& each : details)
        std::move(error).with_detail(std::move(each));
    return error;
}

json::object to_json(const Quota& quota) {
    return {{"workspaces", or_null(quota.workspaces)},
            {"running", or_null(quota.running)},
            {"cpus", or_null(quota.cpus)},
            {"memory", or_null(quota.memory_mb)},
            {"volumeBytes", or_null(quota.volume_bytes)}};
}

json::object to_json(const QuotaUse& use) {
    return {{"workspaces", use.workspaces},
            {"running", use.running},
            {"cpus", use.cpus},
            {"memory", use.memory_mb},
            {"volumeBytes", or_null(use.volume_bytes)}};
}

}  // namespace agentdb9::model
