// The two things that `agentdb9 doctor` does besides looking. Both only tell what they would do until they
// are told to do it. Block; one thread; throw base::Error. They return the exit code.
#pragma once

#include <optional>
#include <string>

#include "cli/context.hpp"

namespace agentdb9::cli {

// Puts right what differs between the database and the engine, through the running server when there is one.
int repair(const Context& context, bool confirmed);

struct RebuildOptions {
    std::optional<std::string> owner;         // the address of who gets what unknown users had
    std::optional<std::string> installation;  // whose objects; absent: those of the only one on the engine
    bool confirmed = false;
};
// Makes the catalogue of an empty database again from the engine's labels. No server may run.
int rebuild(const Context& context, const RebuildOptions& options);

}  // namespace agentdb9::cli
