// The program's command line: `agentdb9 COMMAND …`.
#pragma once

namespace agentdb9::cli {

// Parses, runs the command and returns the exit code (context.hpp). Never throws.
int run(int argc, char** argv);

}  // namespace agentdb9::cli
