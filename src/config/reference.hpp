// What is said of each setting, for `agentdb9 config --default-file`.
#pragma once

#include <string>

namespace agentdb9::config {

// A configuration file (TOML) in which every key stands with its default, as a comment, and a line on what it
// is for. Loads as it is, and with any of its commented lines in force.
std::string default_file();

}  // namespace agentdb9::config
