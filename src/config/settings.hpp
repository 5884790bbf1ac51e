// The scalar settings, each named once. Inside of config/ only.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/configuration.hpp"

namespace agentdb9::config {

enum class Kind { kText, kInteger, kFlag, kTextList };

struct Setting {
    std::string key;          // as in TOML: "server.threads"
    std::string environment;  // "AGENTDB9_SERVER_THREADS"
    Kind kind = Kind::kText;
    bool secret = false;
    // Takes the value in text form (lists: comma-separated). Returns what is wrong with it; empty: nothing.
    std::function<std::string(Configuration&, const std::string&)> set;
    std::function<std::string(const Configuration&)> show;
};

const std::vector<Setting>& settings();

}  // namespace agentdb9::config
