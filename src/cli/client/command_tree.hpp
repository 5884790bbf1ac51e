// The commands of the program as plain values, read off CLI11: what completion and the manual page are made
// of.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace agentdb9::cli::client {

struct OptionNode {
    std::vector<std::string> names;   // with their dashes, the long one first: "--yes", "-y"
    std::string value;                // what it takes: "FILE"; empty for a flag
    std::vector<std::string> values;  // those that it takes, where they are few
    std::string description;
    std::string default_value;
};

struct PositionalNode {
    std::string name;
    std::vector<std::string> values;
    std::string description;
    bool required = false;
};

struct CommandNode {
    std::string name;
    std::vector<std::string> aliases;
    std::string description;
    std::string footer;
    std::string group;  // under which its parent's help has it
    std::vector<OptionNode> options;
    std::vector<PositionalNode> positionals;
    std::vector<CommandNode> commands;
};

CommandNode read_command_tree(const CLI::App& command);

// Texts made from it. Pure.
std::string bash_completion(const CommandNode& program);
std::string zsh_completion(const CommandNode& program);
std::string fish_completion(const CommandNode& program);
// A page for section 1 of the manual, in roff(7) with the macros of man(7), UTF-8.
std::string manual_page(const CommandNode& program);

}  // namespace agentdb9::cli::client
