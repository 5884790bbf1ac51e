// What runs before and beside a command in a container, so that its processes can be found again: the engine
// starts a process there, but has no call that ends it. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/execution.hpp"

namespace agentdb9::runtime::docker {

// In the environment of all that a command starts.
inline constexpr std::string_view kExecutionVariable = "AGENTDB9_EXECUTION";

// The command behind a shell that goes to its directory, tells which process it is, and becomes the command.
// The engine makes that process the first of a session of its own.
std::vector<std::string> wrapped_command(const CommandSpec& spec);
// That sends `signal` ("TERM") to all processes of the session, and to those whose environment has the mark.
std::vector<std::string> ending_command(std::string_view session, std::string_view mark,
                                        std::string_view signal);

// What the first line of a wrapped command says.
struct Beginning {
    std::string session;        // digits; empty: it did not begin
    bool no_directory = false;  // that is why
};
// `line`: without its end.
Beginning read_beginning(std::string_view line);

// The engine's words, in place of that line, for an image without the shell.
bool says_no_shell(std::string_view words);

}  // namespace agentdb9::runtime::docker
