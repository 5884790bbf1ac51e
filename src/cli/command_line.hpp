// The program's command line: `agentdb9 COMMAND …`.
#pragma once

#include "cli/seams.hpp"

namespace agentdb9::cli {

// Parses, runs the command and returns the exit code (context.hpp). Never throws.
int run(int argc, char** argv, Seams seams = {});

}  // namespace agentdb9::cli
