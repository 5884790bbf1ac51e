// session list|end.
#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/client/commands.hpp"
#include "cli/client/objects.hpp"
#include "cli/client/text.hpp"
#include "cli/table.hpp"

namespace agentdb9::cli::client {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kShortestBeginning = 4;

bool is_current(const json::object& session) {
    const auto* current = session.if_contains("current");
    return current != nullptr && current->is_bool() && current->get_bool();
}

void list(const Context& context) {
    auto api = open_api(context);
    const auto sessions = api.list("/api/auth/sessions");
    if (context.json) return print_json(sessions);
    Table table({"SIGNED IN (UTC)", "LAST USED (UTC)", "FROM", "WITH", "", "ID"});
    for (const auto& each : sessions) {
        const auto& session = each.as_object();
        table.add({shown_time(session, "createdAt"), shown_time(session, "lastUsedAt"),
                   shown(session, "address"), shown(session, "userAgent"),
                   is_current(session) ? "this one" : "", shown(session, "id")});
    }
    std::cout << table.text();
}

// By its id, or by how that begins.
json::object find(const json::array& sessions, const std::string& wanted) {
    const json::object* found = nullptr;
    for (const auto& each : sessions) {
        const auto id = text_in(each.as_object(), "id");
        if (id != wanted && (wanted.size() < kShortestBeginning || !id.starts_with(wanted))) continue;
        if (found != nullptr) {
            throw Error(ErrorCode::kInvalid, "session_ambiguous",
                        "More than one session's id begins with '" + wanted + "': give more of it.");
        }
        found = &each.as_object();
    }
    if (found != nullptr) return *found;
    throw Error(ErrorCode::kNotFound, "session_not_found",
                "You have no session '" + wanted + "'. 'agentdb9 session list' shows those that you have.");
}

void end(const Context& context, const std::string& wanted) {
    auto api = open_api(context);
    const auto session = find(api.list("/api/auth/sessions"), wanted);
    const auto data = api.call("DELETE", "/api/auth/sessions/" + text_in(session, "id")).data();
    if (context.json) return print_json(data);
    std::cout << (is_current(session) ? "Ended this session: log in again to go on.\n"
                                      : "Ended the session: what is open under it has ended.\n");
}

void end_others(const Context& context) {
    auto api = open_api(context);
    const auto data = api.call("DELETE", "/api/auth/sessions").data();
    if (context.json) return print_json(data);
    const auto* ended = as_row(data, api).if_contains("ended");
    const auto count = ended != nullptr && ended->is_int64() ? ended->get_int64() : 0;
    std::cout << "Ended " << count << (count == 1 ? " other session.\n" : " other sessions.\n");
}

}  // namespace

void add_session(CLI::App& program, Context& context) {
    auto* session = program.add_subcommand("session", "Where you are signed in: list, end");
    session->alias("sessions");
    session->require_subcommand(1);
    session->footer(
        "Each browser and each 'agentdb9 login' has a session of its own. One that you do not know is ended "
        "at "
        "once, with what is open under it; then change your password.\n\nExamples:\n"
        "  agentdb9 session list\n"
        "  agentdb9 session end 9b6f8f5c\n"
        "  agentdb9 session end --others");

    auto* all = session->add_subcommand("list", "List your sessions");
    all->alias("ls");
    add_client_options(*all, context);
    all->callback([&context] { list(context); });

    struct Wanted {
        std::string session;
        bool others = false;
    };
    auto wanted = std::make_shared<Wanted>();
    auto* gone = session->add_subcommand("end", "End a session, and what is open under it");
    gone->alias("rm");
    auto* one = gone->add_option("SESSION", wanted->session, "Its id, or how that begins")->type_name("");
    auto* others = gone->add_flag("--others", wanted->others, "All but this one");
    others->excludes(one);
    add_client_options(*gone, context);
    gone->callback([&context, wanted] {
        if (wanted->others) return end_others(context);
        if (wanted->session.empty())
            throw Error(ErrorCode::kInvalid, "session_missing",
                        "Name the session that shall end, or --others. 'agentdb9 session list' shows them.");
        end(context, wanted->session);
    });
}

}  // namespace agentdb9::cli::client
