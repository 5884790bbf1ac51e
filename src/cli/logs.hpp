// From the configuration to where and how the program logs.
#pragma once

#include "config/configuration.hpp"

namespace agentdb9::cli {

// Human-readable on a terminal, JSON elsewhere, unless the configuration says otherwise.
void configure_logs(const config::Configuration& configuration);
// The same for a command that somebody waits for: what goes as planned is told by its output alone.
void configure_command_logs(const config::Configuration& configuration);

}  // namespace agentdb9::cli
