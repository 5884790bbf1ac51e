// Completion for three shells. All walk the words that are there already, to the command that they name
// ("at") and the option that waits for its value ("expects"), and then know what may follow.
#include <functional>

#include "cli/client/command_tree.hpp"
#include "cli/client/text.hpp"
#include "cli/version.hpp"

namespace agentdb9::cli::client {
namespace {

using Visit = std::function<void(const CommandNode&, const std::string& path)>;

void walk(const CommandNode& command, const std::string& path, const Visit& visit) {
    visit(command, path);
    for (const auto& each : command.commands)
        walk(each, path.empty() ? each.name : path + " " + each.name, visit);
}

bool takes_files(const OptionNode& option) {
    return option.value == "FILE" || option.value == "DIRECTORY" || option.value == "PATH";
}

std::string quoted(const std::string& text) {
    return shell_word(text);
}

// The one line of a description that a shell shows.
std::string short_text(const std::string& description) {
    return printable(description.substr(0, description.find('\n')));
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& each : words)
        text += (text.empty() ? "" : " ") + each;
    return text;
}

std::string heading(const char* shell) {
    return "# " + std::string(shell) + " completion of agentdb9 " + std::string(kVersion) +
           ", made by 'agentdb9 completion " + shell + "'.\n";
}

// The cases of "command:word": a subcommand by each of its names, an option that takes a value.
std::string walking_cases(const CommandNode& program, const std::string& indent) {
    std::string text;
    walk(program, {}, [&](const CommandNode& command, const std::string& path) {
        for (const auto& each : command.commands) {
            auto pattern = quoted(path + ":" + each.name);
            for (const auto& alias : each.aliases)
                pattern += " | " + quoted(path + ":" + alias);
            text += indent + pattern + ") at=" + quoted(path.empty() ? each.name : path + " " + each.name) +
                    " ;;\n";
        }
        std::string taking;
        for (const auto& option : command.options) {
            if (option.value.empty()) continue;
            for (const auto& name : option.names)
                taking += (taking.empty() ? "" : " | ") + quoted(path + ":" + name);
        }
        if (!taking.empty()) text += indent + taking + ") expects=$word ;;\n";
    });
    return text;
}

// The cases of "command:option" whose values are known; `files` and `words` make the shell's own text.
std::string value_cases(const CommandNode& program, const std::string& indent, const std::string& files,
                        const std::function<std::string(const std::vector<std::string>&)>& words) {
    std::string text;
    walk(program, {}, [&](const CommandNode& command, const std::string& path) {
        for (const auto& option : command.options) {
            if (!takes_files(option) && option.values.empty()) continue;
            std::string pattern;
            for (const auto& name : option.names)
                pattern += (pattern.empty() ? "" : " | ") + quoted(path + ":" + name);
            text += indent + pattern + ") " + (takes_files(option) ? files : words(option.values)) + " ;;\n";
        }
    });
    return text;
}

std::vector<std::string> option_names(const CommandNode& command) {
    std::vector<std::string> names;
    for (const auto& option : command.options)
        names.insert(names.end(), option.names.begin(), option.names.end());
    return names;
}

std::vector<std::string> next_words(const CommandNode& command) {
    std::vector<std::string> words;
    words.reserve(command.commands.size());
    for (const auto& each : command.commands)
        words.push_back(each.name);
    for (const auto& each : command.positionals)
        words.insert(words.end(), each.values.begin(), each.values.end());
    return words;
}

}  // namespace

std::string bash_completion(const CommandNode& program) {
    auto text =
        heading("bash") +
        R"(_agentdb9() {
    local cur=${COMP_WORDS[COMP_CWORD]} at='' expects='' word words='' options='' i
    COMPREPLY=()
    [[ $cur == = ]] && cur=''
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ -n $expects ]]; then
            [[ $word == = ]] || expects=''
            continue
        fi
        case "$at:$word" in
)" + walking_cases(program, "            ") +
        R"(        esac
    done
    if [[ -n $expects ]]; then
        case "$at:$expects" in
)" +
        value_cases(program, "            ",
                    "compopt -o filenames 2> /dev/null; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")",
                    [](const std::vector<std::string>& values) {
                        return "mapfile -t COMPREPLY < <(compgen -W " + quoted(joined(values)) +
                               " -- \"$cur\")";
                    }) +
        R"(        esac
        return
    fi
    case "$at" in
)";
    walk(program, {}, [&](const CommandNode& command, const std::string& path) {
        text += "        " + quoted(path) + ") words=" + quoted(joined(next_words(command))) +
                " options=" + quoted(joined(option_names(command))) + " ;;\n";
    });
    text += R"(    esac
    [[ $cur == -* ]] && words=$options
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _agentdb9 agentdb9
)";
    return text;
}

std::string zsh_completion(const CommandNode& program) {
    auto text =
        "#compdef agentdb9\n" + heading("zsh") +
        R"(_agentdb9() {
    local at='' expects='' word i
    local -a next flags
    for ((i = 2; i < CURRENT; i++)); do
        word=${words[i]}
        if [[ -n $expects ]]; then
            expects=''
            continue
        fi
        case "$at:$word" in
)" + walking_cases(program, "            ") +
        R"(        esac
    done
    if [[ -n $expects ]]; then
        case "$at:$expects" in
)" +
        value_cases(program, "            ", "_files",
                    [](const std::vector<std::string>& values) { return "compadd -- " + joined(values); }) +
        R"(        esac
        return
    fi
    case "$at" in
)";
    walk(program, {}, [&](const CommandNode& command, const std::string& path) {
        text += "        " + quoted(path) + ")\n            next=(";
        for (const auto& each : command.commands)
            text += "\n                " + quoted(each.name + ":" + short_text(each.description));
        for (const auto& each : command.positionals)
            for (const auto& value : each.values)
                text += "\n                " + quoted(value + ":" + each.name);
        text += ")\n            flags=(";
        for (const auto& option : command.options)
            for (const auto& name : option.names)
                text += "\n                " + quoted(name + ":" + short_text(option.description));
        text += ")\n            ;;\n";
    });
    text += R"(    esac
    if [[ $PREFIX == -* ]]; then
        _describe -o option flags
    else
        _describe command next
    fi
}
if [[ ${funcstack[1]} == _agentdb9 ]]; then
    _agentdb9 "$@"
else
    compdef _agentdb9 agentdb9
fi
)";
    return text;
}

std::string fish_completion(const CommandNode& program) {
    auto text = heading("fish") + R"(function __agentdb9_at
    set -l at ''
    set -l expects ''
    set -l words (commandline -opc)
    set -e words[1]
    for word in $words
        if test -n "$expects"
            set expects ''
            continue
        end
        switch "$at:$word"
)";
    walk(program, {}, [&](const CommandNode& command, const std::string& path) {
        for (const auto& each : command.commands) {
            text += "            case " + quoted(path + ":" + each.name);
            for (const auto& alias : each.aliases)
                text += " " + quoted(path + ":" + alias);
            text += "\n                set at " + quoted(path.empty() ? each.name : path + " " + each.name) +
                    "\n";
        }
        std::string taking;
        for (const auto& option : command.options)
            for (const auto& name : option.names)
                if (!option.value.empty()) taking += " " + quoted(path + ":" + name);
        if (!taking.empty()) text += "            case" + taking + "\n                set expects yes\n";
    });
    text += R"(        end
    end
    test "$at" = "$argv[1]"
end
complete -c agentdb9 -f
)";
    walk(program, {}, [&](const CommandNode& command, const std::string& path) {
        // A word for the condition, which is itself one word.
        const auto here = "complete -c agentdb9 -n \"__agentdb9_at '" + path + "'\"";
        for (const auto& each : command.commands)
            text += here + " -a " + quoted(each.name) + " -d " + quoted(short_text(each.description)) + "\n";
        for (const auto& each : command.positionals)
            if (!each.values.empty())
                text += here + " -a " + quoted(joined(each.values)) + " -d " + quoted(each.name) + "\n";
        for (const auto& option : command.options) {
            text += here;
            for (const auto& name : option.names)
                text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
            if (takes_files(option))
                text += " -r -F";
            else if (!option.value.empty())
                text += " -x";
            if (!option.values.empty()) text += " -a " + quoted(joined(option.values));
            text += " -d " + quoted(short_text(option.description)) + "\n";
        }
    });
    return text;
}

}  // namespace agentdb9::cli::client
