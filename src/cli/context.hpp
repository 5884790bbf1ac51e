// What every command has: the options before the command's own, the configuration that follows from them, and
// where it writes.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "cli/seams.hpp"
#include "config/configuration.hpp"

namespace agentdb9::cli {

// Exit codes, the same for every command.
enum ExitCode : int {
    kExitOk = 0,
    kExitFailed = 1,        // it was tried and did not work; standard error says why
    kExitUsage = 2,         // the command line or the configuration is wrong
    kExitNotFound = 3,      // what was named is not there
    kExitUnavailable = 4,   // the database, the engine or the server does not answer
    kExitInterrupted = 130  // Ctrl-C while something was followed, as shells count it
};

struct Context {
    std::optional<std::string> config_file;     // --config
    std::map<std::string, config::Flag> flags;  // those given, by configuration key
    bool json = false;                          // --json
    int timeout_seconds = 60;                   // --timeout: how long a running server may take to answer
    std::string ca_file;                        // --cacert, of the client's commands
    Seams seams;                                // of the server; empty in the program that is shipped

    // Reads environment and file anew. Throws base::Error.
    config::Loaded load() const;
};

}  // namespace agentdb9::cli
