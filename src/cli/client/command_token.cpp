// token list|create|revoke.
#include <CLI/CLI.hpp>
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

void list(const Context& context) {
    auto api = open_api(context);
    const auto tokens = api.list("/api/auth/tokens");
    if (context.json) return print_json(tokens);
    if (tokens.empty()) {
        std::cout << "You have no API tokens. 'agentdb9 token create NAME' makes one.\n";
        return;
    }
    Table table({"NAME", "BEGINS WITH", "CREATED (UTC)", "EXPIRES (UTC)", "LAST USED (UTC)", "ID"});
    for (const auto& each : tokens) {
        const auto& token = each.as_object();
        const auto expires = shown_time(token, "expiresAt");
        table.add({shown(token, "name"), shown(token, "hint"), shown_time(token, "createdAt"),
                   expires == "-" ? "never" : expires, shown_time(token, "lastUsedAt"), shown(token, "id")});
    }
    std::cout << table.text();
}

void create(const Context& context, const std::string& name, const std::string& expires) {
    auto api = open_api(context);
    json::object body{{"name", name}};
    if (!expires.empty()) body["expiresAt"] = expiry(expires);
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
        "what you may.\n\nExamples:\n"
        "  agentdb9 token create nightly --expires 30d > token\n"
        "  agentdb9 token revoke nightly");

    auto* all = token->add_subcommand("list", "List your API tokens");
    all->alias("ls");
    add_client_options(*all, context);
    all->callback([&context] { list(context); });

    auto name = std::make_shared<std::string>();
    auto expires = std::make_shared<std::string>();
    auto* made = token->add_subcommand("create", "Make an API token, and print it once");
    made->add_option("NAME", *name, "What it is for; 1 to 100 characters")->required()->type_name("");
    made->add_option("--expires", *expires, "30d, 12h or a time (2027-01-31T12:00:00Z); absent: never")
        ->type_name("WHEN");
    add_client_options(*made, context);
    made->callback([&context, name, expires] { create(context, *name, *expires); });

    auto wanted = std::make_shared<std::string>();
    auto* gone = token->add_subcommand("revoke", "End an API token, and what is open under it");
    gone->alias("rm");
    gone->add_option("TOKEN", *wanted, "Its name or id")->required()->type_name("");
    add_client_options(*gone, context);
    gone->callback([&context, wanted] { revoke(context, *wanted); });
}

}  // namespace agentdb9::cli::client
