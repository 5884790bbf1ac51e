// What somebody may have meant who wrote a name that there is not. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace agentdb9::config {

// How many letters have to be put in, taken away or exchanged.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The one of `known` that is near enough to have been meant; absent when none is.
std::optional<std::string> did_you_mean(std::string_view name, const std::vector<std::string>& known);

}  // namespace agentdb9::config
