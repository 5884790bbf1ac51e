#pragma once

#include <string_view>

namespace agentdb9::cli {

// Of the program, from the file VERSION.
inline constexpr std::string_view kVersion = AGENTDB9_VERSION;

}  // namespace agentdb9::cli
