// exec: a command in a workspace, as if it ran here: its input, its two streams, its exit code.
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <iostream>

#include "base/crypto.hpp"
#include "cli/client/commands.hpp"
#include "cli/client/descriptors.hpp"
#include "cli/client/objects.hpp"
#include "cli/client/server_sent_events.hpp"
#include "cli/client/text.hpp"

namespace agentdb9::cli::client {
namespace {

using base::Error;
using base::ErrorCode;

// As timeout(1) has it.
constexpr int kExitTimeLimit = 124;
// As a server has it that was not told otherwise.
constexpr std::chrono::seconds kServersLimit{60};
// For a command that is to end, in a workspace that is paused just then, to be ended.
constexpr std::chrono::seconds kMostOfEnding{120};
// What a server's limit of bodies allows for is less; this keeps memory.
constexpr std::size_t kMostInput = std::size_t{64} << 20;

struct Wanted {
    std::string workspace;
    std::vector<std::string> command;
    std::string directory;
    std::vector<std::string> variables;
    int time_limit = 0;
    bool no_input = false;
};

// There is something to read, or an end: a pipe, a file or a socket. A terminal is for shell.
bool has_input() {
    struct stat state{};
    if (::fstat(STDIN_FILENO, &state) != 0) return false;
    return S_ISFIFO(state.st_mode) || S_ISREG(state.st_mode) || S_ISSOCK(state.st_mode);
}

std::string read_input() {
    std::string all;
    std::array<char, 65536> piece{};
    for (;;) {
        const auto got = read_some(STDIN_FILENO, piece);
        if (!got) {
            throw Error(ErrorCode::kInternal, "not_readable",
                        "Standard input cannot be read: " + std::string(std::strerror(errno)) +
                            ". Leave it out with --no-stdin.");
        }
        if (*got == 0) return all;
        all.append(piece.data(), *got);
        if (all.size() > kMostInput) {
            throw Error(ErrorCode::kInvalid, "input_too_large",
                        "Standard input is too large to be handed to a command: write it to a file of the "
                        "project first, or leave it out with --no-stdin.");
        }
    }
}

json::object variables_of(const std::vector<std::string>& all) {
    json::object out;
    for (const auto& each : all) {
        const auto equals = each.find('=');
        if (equals == std::string::npos || equals == 0) {
            throw Error(ErrorCode::kInvalid, "invalid_variable",
                        "'" + printable(each) + "' is no variable: write --env NAME=VALUE.");
        }
        out[each.substr(0, equals)] = each.substr(equals + 1);
    }
    return out;
}

json::object body_of(const Wanted& wanted) {
    json::array command;
    for (const auto& each : wanted.command)
        command.emplace_back(each);
    json::object body{{"command", std::move(command)}};
    if (!wanted.directory.empty()) body["cwd"] = wanted.directory;
    if (!wanted.variables.empty()) body["env"] = variables_of(wanted.variables);
    if (wanted.time_limit > 0) body["timeoutSeconds"] = wanted.time_limit;
    if (!wanted.no_input && has_input()) body["stdinBase64"] = base::base64_encode(read_input());
    return body;
}

void put_out(int fd, std::string_view bytes) {
    if (write_all(fd, bytes)) return;
    throw Error(ErrorCode::kInternal, "output_failed",
                "The command's output could not be written: " + std::string(std::strerror(errno)) + ".");
}

bool is_true(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_bool() && value->get_bool();
}

// How it ended, as an exit code; said where that alone would not tell.
int tell_end(const json::object& end) {
    const auto why = text_in(end, "endedBy");
    if (is_true(end, "leftRunning"))
        std::cerr << "agentdb9: the command could not be ended; it goes on until its workspace is stopped.\n";
    if (is_true(end, "timedOut")) {
        std::cerr << "agentdb9: the command was ended: its time was over. --time-limit gives it more.\n";
        return kExitTimeLimit;
    }
    const auto* code = end.if_contains("exitCode");
    if (why == "itself" && code != nullptr && code->is_int64()) return static_cast<int>(code->get_int64());
    std::cerr << "agentdb9: the command was ended: "
              << (why == "workspace_stopped" ? "its workspace was stopped, restarted or switched."
                  : why == "signed_out"      ? "your login or token has ended."
                  : why == "shutting_down"   ? "the server is ending."
                                             : "the engine does not say how.")
              << "\n";
    return kExitFailed;
}

// The answer comes when the command has ended, and nothing before it.
int print_whole(Api& api, const std::string& path, const json::object& body, int time_limit) {
    const auto most = (time_limit > 0 ? std::chrono::seconds(time_limit) : kServersLimit) + kMostOfEnding;
    const auto data = api.call("POST", path, body, false, most).data();
    print_json(data);
    return tell_end(as_row(data, api));
}

int pass_on(Api& api, const std::string& path, json::object body) {
    body["encoding"] = "base64";
    std::optional<json::object> end;
    std::optional<Error> failure;
    ServerSentEvents events([&](const ServerSentEvent& event) {
        const auto data = event.object();
        if (event.name == "stdout" || event.name == "stderr") {
            put_out(event.name == "stderr" ? STDERR_FILENO : STDOUT_FILENO,
                    base::base64_decode(text_in(data, "data")).value_or(std::string()));
        } else if (event.name == "exit") {
            end = data;
        } else if (event.name == "failed") {
            failure =
                Error(ErrorCode::kUnavailable, text_in(data, "code"), printable(text_in(data, "message")));
        }
    });
    api.stream("POST", path, body, {},
               [&](std::string_view piece) { return events.push(piece) && !end && !failure; });
    if (failure) throw *failure;
    if (!end) {
        throw Error(
            ErrorCode::kUnavailable, "stream_broken",
            "The server ended the connection before the command had ended; a command whose caller has "
            "gone is ended, too.");
    }
    return tell_end(*end);
}

int run(const Context& context, const Wanted& wanted) {
    auto api = open_api(context);
    const auto workspace = find_workspace(api, wanted.workspace);
    const auto path = "/api/workspaces/" + text_in(workspace, "id") + "/exec";
    auto body = body_of(wanted);
    return context.json ? print_whole(api, path, body, wanted.time_limit)
                        : pass_on(api, path, std::move(body));
}

}  // namespace

void add_exec(CLI::App& program, Context& context, int& code) {
    auto wanted = std::make_shared<Wanted>();
    auto* command = program.add_subcommand("exec", "Run a command in a workspace");
    command->footer(
        "The exit code is the command's; 124 where its time was over. What is piped in, or redirected from a "
        "file, is read to its end first and is the command's input. The command runs as the image's user, in "
        "/workspace, and ends when this one does.\n\nExamples:\n"
        "  agentdb9 exec editor -- git status\n"
        "  agentdb9 exec editor --cwd src --time-limit 600 -- make -j2\n"
        "  agentdb9 exec editor -- sh -c 'wc -l *.md | sort -n'\n"
        "  agentdb9 exec editor -- tee notes.txt < notes.txt");
    command->add_option("WORKSPACE", wanted->workspace, "Its name or id")->required()->type_name("");
    command->add_option("COMMAND", wanted->command, "The program and its arguments, behind --")
        ->required()
        ->type_name("");
    command->add_option("--cwd", wanted->directory, "Where it runs, relative to /workspace")
        ->type_name("WHERE");
    command->add_option("--env", wanted->variables, "A variable beside the container's; may be repeated")
        ->type_name("NAME=VALUE")
        ->allow_extra_args(false);
    command
        ->add_option("--time-limit", wanted->time_limit, "How long it may take; absent: as the server has it")
        ->type_name("SECONDS")
        ->check(CLI::Range(1, 86400));
    command->add_flag("--no-stdin", wanted->no_input, "Read nothing from standard input");
    add_client_options(*command, context);
    command->callback([&context, &code, wanted] { code = run(context, *wanted); });
}

}  // namespace agentdb9::cli::client
