#include "cli/client/command_tree.hpp"

#include <CLI/CLI.hpp>

namespace agentdb9::cli::client {
namespace {

// A validator that admits few words describes itself as "{admin,user}", after the type's name.
std::vector<std::string> values_of(const std::string& type) {
    std::vector<std::string> values;
    const auto open = type.find('{');
    const auto close = type.find('}', open == type.npos ? 0 : open);
    if (open == type.npos || close == type.npos) return values;
    std::string word;
    for (const char c : type.substr(open + 1, close - open - 1) + ",") {
        if (c == ',') {
            values.push_back(std::exchange(word, {}));
        } else {
            word += c;
        }
    }
    return values;
}

OptionNode read_option(const CLI::Option& option) {
    OptionNode node;
    for (const auto& each : option.get_lnames())
        node.names.push_back("--" + each);
    for (const auto& each : option.get_snames())
        node.names.push_back("-" + each);
    if (option.get_items_expected_max() > 0) {
        const auto type = option.get_type_name();
        node.value = type.substr(0, type.find_first_of(":{"));
        if (node.value.empty()) node.value = "VALUE";
        node.values = values_of(type);
        node.default_value = option.get_default_str();
    }
    node.description = option.get_description();
    return node;
}

}  // namespace

CommandNode read_command_tree(const CLI::App& command) {
    CommandNode node{.name = command.get_name(),
                     .aliases = command.get_aliases(),
                     .description = command.get_description(),
                     .footer = command.get_footer(),
                     .group = command.get_group()};
    for (const auto* option : command.get_options()) {
        if (option->get_group().empty()) continue;  // hidden
        if (!option->get_positional()) {
            node.options.push_back(read_option(*option));
            continue;
        }
        node.positionals.push_back({.name = option->get_name(true, false),
                                    .values = values_of(option->get_type_name()),
                                    .description = option->get_description(),
                                    .required = option->get_required()});
    }
    for (const auto* each : command.get_subcommands([](const CLI::App*) { return true; }))
        if (!each->get_group().empty()) node.commands.push_back(read_command_tree(*each));
    return node;
}

}  // namespace agentdb9::cli::client
