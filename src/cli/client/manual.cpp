#include <algorithm>
#include <string_view>

#include "cli/client/command_tree.hpp"
#include "cli/version.hpp"

namespace agentdb9::cli::client {
namespace {

// groff_char(7): a hyphen that may be copied into a shell is \-, a backslash \e.
std::string escaped(std::string_view text) {
    std::string roff;
    for (const char c : text) {
        if (c == '\\') {
            roff += "\\e";
        } else if (c == '-') {
            roff += "\\-";
        } else {
            roff += c;
        }
    }
    return roff;
}

// A dot or an apostrophe at the beginning of a line would be a request.
std::string line(std::string_view text) {
    std::string roff;
    for (;;) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto each = text.substr(0, end);
        roff += (each.starts_with('.') || each.starts_with('\'') ? "\\&" : "") + escaped(each) + "\n";
        if (end == text.size()) return roff;
        text.remove_prefix(end + 1);
    }
}

// Lines that begin with two blanks are shown as they are; an empty one ends a paragraph.
std::string paragraphs(std::string_view text) {
    std::string roff;
    bool as_is = false;
    const auto set_as_is = [&](bool wanted) {
        if (wanted != as_is) roff += wanted ? ".RS 4\n.nf\n" : ".fi\n.RE\n";
        as_is = wanted;
    };
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto each = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        set_as_is(each.starts_with("  "));
        if (each.empty()) {
            roff += ".PP\n";
        } else {
            roff += line(as_is ? each.substr(2) : each);
            if (!as_is) roff += ".br\n";
        }
    }
    set_as_is(false);
    return roff;
}

std::string options(const CommandNode& command, bool with_help) {
    std::string roff;
    for (const auto& each : command.positionals)
        roff += ".TP\n.I " + line(each.name) + line(each.description.empty() ? each.name : each.description);
    for (const auto& option : command.options) {
        if (!with_help && option.names.front() == "--help") continue;
        std::string names;
        for (const auto& name : option.names)
            names += (names.empty() ? "\\fB" : ", \\fB") + escaped(name) + "\\fR";
        if (!option.value.empty()) names += " \\fI" + escaped(option.value) + "\\fR";
        auto description = option.description;
        if (!option.default_value.empty())
            description += " (" + option.default_value + " unless it is given)";
        roff += ".TP\n" + names + "\n" + line(description);
    }
    return roff;
}

std::string synopsis(const CommandNode& command, const std::string& path) {
    auto text = "\\fB" + escaped(path) + "\\fR";
    if (!command.options.empty()) text += " [\\fIOPTIONS\\fR]";
    if (!command.commands.empty()) text += " \\fICOMMAND\\fR";
    for (const auto& each : command.positionals) {
        const auto name = "\\fI" + escaped(each.name) + "\\fR";
        text += each.required ? " " + name : " [" + name + "]";
    }
    return text;
}

std::string sentence(const std::string& text) {
    return text.ends_with("…") || text.ends_with('.') ? text : text + ".";
}

std::string section(const CommandNode& command, const std::string& path, const std::string& footer_above) {
    auto roff = ".SS " + escaped(path) + "\n" + synopsis(command, path) + "\n.PP\n" +
                line(sentence(command.description));
    if (!command.aliases.empty()) {
        std::string names;
        for (const auto& each : command.aliases)
            names += (names.empty() ? "" : ", ") + each;
        roff += line("Also called: " + names + ".");
    }
    roff += options(command, false);
    // A command without a footer of its own has its parent's.
    if (!command.footer.empty() && command.footer != footer_above)
        roff += ".PP\n" + paragraphs(command.footer);
    for (const auto& each : command.commands)
        roff += section(each, path + " " + each.name, command.footer);
    return roff;
}

constexpr std::string_view kEnding = R"(.SH ENVIRONMENT
.TP
.B AGENTDB9_URL
The server that the commands for its users ask, instead of the one of the last login.
.TP
.B AGENTDB9_TOKEN
An API token to ask it with, instead of the session of the last login.
.TP
.B AGENTDB9_CACERT
Certificates (PEM) of the authorities to trust, instead of the system's.
.TP
.BR XDG_CONFIG_HOME ", " HOME
Where the login is kept.
.PP
The server's settings have variables too:
.B agentdb9 config
lists them.
.SH FILES
.TP
.I ~/.config/agentdb9/client.json
The login: address and tokens, for its owner alone.
.TP
.I /etc/agentdb9/agentdb9.toml
The server's configuration.
)";

}  // namespace

std::string manual_page(const CommandNode& program) {
    const auto name = escaped(program.name);
    auto roff = ".\\\" Made by 'agentdb9 man'.\n.TH AGENTDB9 1 \"\" \"agentdb9 " + std::string(kVersion) +
                "\" \"User Commands\"\n.nh\n.ad l\n.SH NAME\n" + name +
                " \\- workspaces for people and agents, on a server of your own\n.SH SYNOPSIS\n" +
                synopsis(program, program.name) + "\n.SH DESCRIPTION\n" + paragraphs(program.description) +
                ".SH OPTIONS\n" + options(program, true);
    std::string group;
    for (const auto& each : program.commands) {
        if (each.group != group) roff += ".SH " + line(each.group);
        group = each.group;
        roff += section(each, program.name + " " + each.name, program.footer);
    }
    return roff + std::string(kEnding) + ".SH NOTES\n" + paragraphs(program.footer);
}

}  // namespace agentdb9::cli::client
