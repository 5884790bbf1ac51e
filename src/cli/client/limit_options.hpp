// --cpus, --memory …: what a workspace may use, as the commands take it and the API has it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace CLI {
class App;
}

namespace agentdb9::cli::client {

struct LimitOptions {
    std::optional<double> cpus;
    std::optional<std::int64_t> memory_mb;
    std::optional<std::int64_t> memory_reservation_mb;
    std::optional<std::int64_t> pids;
    std::optional<std::int64_t> shm_mb;
    std::vector<std::string> ulimits;  // "nofile=1024"
    bool empty() const;
};

void add_limit_options(CLI::App& command, const std::shared_ptr<LimitOptions>& options);

// `resourceLimits` of a request: what is not given stays, or with `reset` is the type's again. Pure.
json::value limits_body(const LimitOptions& options, bool reset);

}  // namespace agentdb9::cli::client
