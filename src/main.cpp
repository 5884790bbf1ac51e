#include "cli/command_line.hpp"

int main(int argc, char** argv) {
    return agentdb9::cli::run(argc, argv);
}
