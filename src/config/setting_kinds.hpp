// The kinds of settings, from which the table of them (settings.cpp) is made: how each reads its text, says
// what is wrong with it, and shows itself. Inside of config/ only.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/settings.hpp"

namespace agentdb9::config {

using Setter = std::function<std::string(Configuration&, const std::string&)>;
using Shower = std::function<std::string(const Configuration&)>;

Setting make(std::string key, Kind kind, Setter set, Shower show);
Setting secret(Setting setting);
Setting number(std::string key, std::int64_t least, std::int64_t most,
               std::function<void(Configuration&, std::int64_t)> set,
               std::function<std::int64_t(const Configuration&)> get);
Setting address(std::string key, Address ServerSettings::* member);
Setting flag(std::string key, std::function<bool&(Configuration&)> member);

// Each of these is one problem in words; empty: none.
std::string check_engine_address(const std::string& text);
std::string check_origin(const std::string& text);
std::string check_path(const std::string& text);
// "192.0.2.7" or "10.0.0.0/8".
bool is_network(const std::string& text);
std::string show_list(const std::vector<std::string>& list);

template <class Part>
Setting optional_text(std::string key, Part Configuration::* part, std::optional<std::string> Part::* member,
                      std::function<std::string(const std::string&)> check = {}) {
    return make(
        std::move(key), Kind::kText,
        [=](Configuration& c, const std::string& text) -> std::string {
            if (check) {
                if (auto problem = check(text); !problem.empty()) return problem;
            }
            c.*part.*member = text;
            return {};
        },
        [=](const Configuration& c) { return (c.*part.*member).value_or("(not set)"); });
}

template <class Enum>
Setting choice(std::string key, std::vector<std::pair<std::string, Enum>> choices,
               std::function<Enum&(Configuration&)> member) {
    return make(
        std::move(key), Kind::kText,
        [=](Configuration& c, const std::string& text) -> std::string {
            std::string names;
            for (const auto& [name, value] : choices) {
                if (name == text) {
                    member(c) = value;
                    return {};
                }
                names += (names.empty() ? "\"" : ", \"") + name + "\"";
            }
            return "must be one of " + names;
        },
        [=](const Configuration& c) {
            auto copy = c;
            for (const auto& [name, value] : choices) {
                if (value == member(copy)) return name;
            }
            return std::string();
        });
}

}  // namespace agentdb9::config
