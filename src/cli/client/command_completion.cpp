// completion, man: texts made from the commands themselves.
#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/client/command_tree.hpp"
#include "cli/client/commands.hpp"

namespace agentdb9::cli::client {

void add_completion(CLI::App& program) {
    auto shell = std::make_shared<std::string>();
    auto* command = program.add_subcommand("completion", "Print the completion of this program for a shell");
    command->footer(
        "Install it once, or again after an upgrade:\n"
        "  agentdb9 completion bash > /etc/bash_completion.d/agentdb9\n"
        "  agentdb9 completion zsh  > /usr/local/share/zsh/site-functions/_agentdb9\n"
        "  agentdb9 completion fish > ~/.config/fish/completions/agentdb9.fish\n"
        "For this shell alone:\n"
        "  source <(agentdb9 completion bash)");
    command->add_option("SHELL", *shell, "bash, zsh or fish")
        ->required()
        ->type_name("")
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    command->callback([&program, shell] {
        const auto tree = read_command_tree(program);
        std::cout << (*shell == "bash"  ? bash_completion(tree)
                      : *shell == "zsh" ? zsh_completion(tree)
                                        : fish_completion(tree));
    });
}

void add_man(CLI::App& program) {
    auto* command = program.add_subcommand("man", "Print the manual page of this program");
    command->footer(
        "Examples:\n"
        "  agentdb9 man | man -l -\n"
        "  agentdb9 man > /usr/local/share/man/man1/agentdb9.1");
    command->callback([&program] { std::cout << manual_page(read_command_tree(program)); });
}

}  // namespace agentdb9::cli::client
