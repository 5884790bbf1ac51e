// token list|create|revoke.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <iostream>

#include "base/time.hpp"
#include "cli/client/commands.hpp"
#include "cli/client/objects.hpp"
#include "cli/client/text.hpp"
#include "cli/table.hpp"

namespace agentdb9::cli::client {
namespace {

using base::Error;
using base::ErrorCode;

// "30d" and "12h" from now on; a time as the API takes it stays.
std::string expiry(const std::string& text) {
    int count = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, count);
    if (error == std::errc() && stop + 1 == end && (*stop == 'd' || *stop == 'h') && count >= 1 &&
        count <= 87'600) {
        const auto life = *stop == 'd' ? std::chrono::hours(24) * count : std::chrono::hours(count);
        return base::format_time(std::chrono::floor<base::Duration>(std::chrono::system_clock::now() + life));
    }
    if (text.find('T') != text.npos) return text;
    throw Error(ErrorCode::kInvalid, "invalid_expiry",
                "--expires is a number of days or hours (30d, 12h) or a time (2027-01-31T12:00:00Z).");
}

struct New {
    std::string name;
    std::string expires;
    std::vector<std::string> scopes;
    std::string workspace;
};

// "read", "read, write"; "everything" where there is no list.
std::string shown_scopes(const json::object& token) {
    const auto* scopes = token.if_contains("scopes");
    if (scopes == nullptr || !scopes->is_array()) return "everything";
    std::string text;
    for (const auto& each : scopes->get_array()) {
        if (!each.is_string()) continue;
        text.append(text.empty() ? "" : ", ").append(each.get_string());
    }
    return text;
}

// The name of the workspace that it is for; the id of one that is gone.
std::string shown_workspace(const json::object& token, const json::array& workspaces) {
    const auto id = text_in(token, "workspaceId");
    if (id.empty()) return "all";
    for (const auto& each : workspaces)
        if (text_in(each.as_object(), "id") == id) return shown(each.as_object(), "name");
    return shown(token, "workspaceId");
}

bool any_is_for_one(const json::array& tokens) {
    return std::ranges::any_of(
        tokens, [](const auto& each) { return !text_in(each.as_object(), "workspaceId").empty(); });
}

void list(const Context& context) {
    auto api = open_api(context);
    const auto tokens = api.list("/api/auth/tokens");
    if (context.json) return print_json(tokens);
    if (tokens.empty()) {
        std::cout << "You have no API tokens. 'agentdb9 token create NAME' makes one.\n";
        return;
    }
    const auto workspaces = any_is_for_one(tokens) ? api.list("/api/workspaces") : json::array();
    Table table({"NAME", "BEGINS WITH", "MAY", "WORKSPACES", "CREATED (UTC)", "EXPIRES (UTC)",
                 "LAST USED (UTC)", "ID"});
    for (const auto& each : tokens) {
        const auto& token = each.as_object();
        const auto expires = shown_time(token, "expiresAt");
        table.add({shown(token, "name"), shown(token, "hint"), shown_scopes(token),
                   shown_workspace(token, workspaces), shown_time(token, "createdAt"),
                   expires == "-" ? "never" : expires, shown_time(token, "lastUsedAt"), shown(token, "id")});
    }
    std::cout << table.text();
}

void create(const Context& context, const New& wanted) {
    auto api = open_api(context);
    json::object body{{"name", wanted.name}};
    if (!wanted.expires.empty()) body["expiresAt"] = expiry(wanted.expires);
    if (!wanted.scopes.empty()) body["scopes"] = json::value_from(wanted.scopes);
    if (!wanted.workspace.empty()) body["workspaceId"] = text_in(find_workspace(api, wanted.workspace), "id");
    const auto data = api.call("POST", "/api/auth/tokens", body).data();
    if (context.json) return print_json(data);
    const auto token = text_in(as_row(data, api), "token");
    if (!is_token(token)) throw unreadable(api.url());
    // On standard output alone, so that it can be piped to where it is kept.
    std::cerr << "The token " << quoted_name(data.get_object()) << " is shown only now:\n";
    if (!(std::cout << token << std::endl)) {
        throw Error(
            ErrorCode::kInternal, "token_lost",
            "The token could not be written to standard output and is lost. Revoke it and make another: "
            "agentdb9 token revoke " +
                shown(data.get_object(), "id"));
    }
}

void revoke(const Context& context, const std::string& wanted) {
    auto api = open_api(context);
    const auto token = find_by_name(api.list("/api/auth/tokens"), wanted, kToken);
    const auto data = api.call("DELETE", "/api/auth/tokens/" + text_in(token, "id")).data();
    if (context.json) return print_json(data);
    std::cout << "Revoked the token " << quoted_name(token) << ": what is open under it has ended.\n";
}

}  // namespace

void add_token(CLI::App& program, Context& context) {
    auto* token = program.add_subcommand("token", "API tokens, for programs: list, create, revoke");
    token->alias("tokens");
    token->require_subcommand(1);
    token->footer(
        "A program that has one sets AGENTDB9_URL and AGENTDB9_TOKEN, or sends it as 'Authorization: "
        "Bearer'. It may do "
        "what you may, or less: with --scope read it looks, with --scope write it does all but manage your "
        "account and "
        "tokens, with --workspace it gets to that workspace alone.\n\nExamples:\n"
        "  agentdb9 token create nightly --expires 30d > token\n"
        "  agentdb9 token create dashboard --scope read\n"
        "  agentdb9 token create agent --workspace editor --expires 12h\n"
        "  agentdb9 token revoke nightly");

    auto* all = token->add_subcommand("list", "List your API tokens");
    all->alias("ls");
    add_client_options(*all, context);
    all->callback([&context] { list(context); });

    auto asked = std::make_shared<New>();
    auto* made = token->add_subcommand("create", "Make an API token, and print it once");
    made->add_option("NAME", asked->name, "What it is for; 1 to 100 characters")->required()->type_name("");
    made->add_option("--expires", asked->expires, "30d, 12h or a time (2027-01-31T12:00:00Z); absent: never")
        ->type_name("WHEN");
    made->add_option("--scope", asked->scopes,
                     "read, or write (which reads, too); absent: everything, with --workspace write")
        ->type_name("SCOPE")
        ->delimiter(',')
        ->check(CLI::IsMember({"read", "write"}));
    made->add_option("--workspace", asked->workspace, "For this workspace alone: its name or id")
        ->type_name("WORKSPACE");
    add_client_options(*made, context);
    made->callback([&context, asked] { create(context, *asked); });

    auto wanted = std::make_shared<std::string>();
    auto* gone = token->add_subcommand("revoke", "End an API token, and what is open under it");
    gone->alias("rm");
    gone->add_option("TOKEN", *wanted, "Its name or id")->required()->type_name("");
    add_client_options(*gone, context);
    gone->callback([&context, wanted] { revoke(context, *wanted); });
}

}  // namespace agentdb9::cli::client
