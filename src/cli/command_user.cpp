#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/commands.hpp"
#include "cli/table.hpp"
#include "cli/terminal.hpp"
#include "cli/user_quota.hpp"
#include "runtime/docker/engine_client.hpp"

namespace agentdb9::cli {
namespace {

using runtime::docker::percent_encode;

std::string state_of(const json::object& user) {
    return user.at("isActive").as_bool() ? "active" : "disabled";
}

std::string email_of(const json::object& user) {
    return or_dash(user.at("email"));
}

void print_json(const json::value& data) {
    std::cout << base::to_text(data) << "\n";
}

void print_one_time_password(const json::object& data) {
    if (!data.at("oneTimePassword").is_string()) return;
    std::cout << "One-time password: " << or_dash(data.at("oneTimePassword"))
              << "\nIt is shown only now. It should be changed after the first login.\n";
}

void list(OperatorClient client, bool as_json) {
    const auto data = client.call("GET", "/users").data;
    if (as_json) return print_json(data);
    Table table({"EMAIL", "USERNAME", "ROLE", "STATE", "LAST LOGIN (UTC)", "ID"});
    for (const auto& each : data.as_array()) {
        const auto& user = each.as_object();
        table.add({email_of(user), or_dash(user.at("username")), or_dash(user.at("role")), state_of(user),
                   short_time(user.at("lastLoginAt")), or_dash(user.at("id"))});
    }
    std::cout << table.text();
}

void show(OperatorClient client, const std::string& who, bool as_json) {
    const auto data = client.call("GET", "/users/" + percent_encode(who)).data;
    if (as_json) return print_json(data);
    const auto& user = data.as_object();
    const auto count = [&](const char* name) { return std::to_string(user.at(name).to_number<int>()); };
    Table table({"email", email_of(user)});
    table.add({"username", or_dash(user.at("username"))});
    table.add({"role", or_dash(user.at("role"))});
    table.add({"state", state_of(user)});
    table.add({"id", or_dash(user.at("id"))});
    table.add({"created (UTC)", short_time(user.at("createdAt"))});
    table.add({"last login (UTC)", short_time(user.at("lastLoginAt"))});
    table.add({"workspaces", count("workspaces")});
    table.add({"projects", count("projects")});
    table.add({"open sessions", count("openSessions")});
    table.add({"API tokens", count("apiTokens")});
    std::cout << table.text();
}

struct NewUser {
    std::string email;
    std::string username;
    bool admin = false;
    bool password_stdin = false;
};

void add(OperatorClient client, const NewUser& wanted, bool as_json) {
    json::object body{{"email", wanted.email}, {"role", wanted.admin ? "admin" : "user"}};
    if (!wanted.username.empty()) body["username"] = wanted.username;
    if (wanted.password_stdin) body["password"] = read_password();
    const auto data = client.call("POST", "/users", body).data;
    if (as_json) return print_json(data);
    const auto& user = data.at("user").as_object();
    std::cout << "Added " << email_of(user) << (wanted.admin ? " as an admin.\n" : ".\n");
    print_one_time_password(data.as_object());
}

void reset_password(OperatorClient client, const std::string& who, bool from_stdin, bool as_json) {
    json::object body;
    if (from_stdin) body["password"] = read_password();
    const auto data = client.call("POST", "/users/" + percent_encode(who) + "/reset-password", body).data;
    if (as_json) return print_json(data);
    std::cout << "The password of " << email_of(data.at("user").as_object())
              << " is changed, and every session of that account has ended.\n";
    print_one_time_password(data.as_object());
}

// `told` goes on after the email address.
void change(OperatorClient client, const std::string& who, const std::string& what, const json::object& body,
            const std::string& told, bool as_json) {
    const auto data = client.call("POST", "/users/" + percent_encode(who) + "/" + what, body).data;
    if (as_json) return print_json(data);
    std::cout << email_of(data.as_object()) << " " << told << "\n";
}

// A command on one account, named by its id or its email address.
CLI::App* add_on_account(CLI::App& parent, Context& context, const char* name, const char* help,
                         const std::shared_ptr<std::string>& who) {
    auto* command = parent.add_subcommand(name, help);
    command->add_option("WHO", *who, "Email address or id")
        ->required()
        ->type_name("")
        ->check([](const std::string& text) { return text.empty() ? "must not be empty" : ""; });
    add_operator_options(*command, context);
    return command;
}

void add_user_add(CLI::App& parent, Context& context) {
    auto wanted = std::make_shared<NewUser>();
    auto* command = parent.add_subcommand("add", "Add an account");
    command->footer(
        "Without --password-stdin a one-time password is made and shown once.\n\nExamples:\n"
        "  agentdb9 user add ada@example.org\n"
        "  agentdb9 user add ops@example.org --username ops --admin\n"
        "  pass show ada | agentdb9 user add ada@example.org --password-stdin");
    command->add_option("EMAIL", wanted->email, "Email address, with which the person logs in")
        ->required()
        ->type_name("");
    command->add_option("--username", wanted->username, "Name to show; the part before the @ when absent")
        ->type_name("NAME");
    command->add_flag("--admin", wanted->admin, "Make it an admin");
    command->add_flag("--password-stdin", wanted->password_stdin,
                      "Take the password from the first line of standard input");
    add_operator_options(*command, context);
    command->callback([&context, wanted] { add(open_operator(context), *wanted, context.json); });
}

void add_user_reset(CLI::App& parent, Context& context) {
    auto who = std::make_shared<std::string>();
    auto from_stdin = std::make_shared<bool>(false);
    auto* command = add_on_account(parent, context, "reset-password",
                                   "Give an account a new password; its sessions end", who);
    command->footer(
        "Without --password-stdin a one-time password is made and shown once. API tokens stay valid: "
        "'user disable' stops these too.\n\nExample:\n  agentdb9 user reset-password ada@example.org");
    command->add_flag("--password-stdin", *from_stdin,
                      "Take the password from the first line of standard input");
    command->callback([&context, who, from_stdin] {
        reset_password(open_operator(context), *who, *from_stdin, context.json);
    });
}

void add_user_set_role(CLI::App& parent, Context& context) {
    auto who = std::make_shared<std::string>();
    auto role = std::make_shared<std::string>();
    auto* command =
        add_on_account(parent, context, "set-role", "Make an account an admin, or a user again", who);
    command->footer("In force at once. Example:\n  agentdb9 user set-role ada@example.org admin");
    command->add_option("ROLE", *role, "admin or user")
        ->required()
        ->type_name("")
        ->check(CLI::IsMember({"admin", "user"}));
    command->callback([&context, who, role] {
        change(open_operator(context), *who, "role", {{"role", *role}},
               *role == "admin" ? "is an admin now." : "is a user now.", context.json);
    });
}

}  // namespace

void add_user(CLI::App& program, Context& context, int&) {
    auto* user = program.add_subcommand("user", "Accounts: list, add, disable, reset a password …");
    user->require_subcommand(1);
    user->footer(
        "A running server is asked through the socket in its data directory, so that changes are in force at "
        "once: who is disabled has no open connection a moment later. Without a server the database is "
        "changed.\nPasswords are never arguments.\n\nExamples:\n"
        "  agentdb9 user list\n"
        "  agentdb9 user add ada@example.org\n"
        "  agentdb9 user reset-password ada@example.org\n"
        "  agentdb9 user disable ada@example.org");

    auto* all = user->add_subcommand("list", "List the accounts, oldest first");
    add_operator_options(*all, context);
    all->callback([&context] { list(open_operator(context), context.json); });

    add_user_add(*user, context);

    auto who = std::make_shared<std::string>();
    add_on_account(*user, context, "show", "Show one account and what it has", who)
        ->callback([&context, who] { show(open_operator(context), *who, context.json); });
    add_user_set_role(*user, context);
    auto disabled = std::make_shared<std::string>();
    auto* disable =
        add_on_account(*user, context, "disable", "Shut an account out; what it owns stays", disabled);
    disable->footer(
        "Its sessions, API tokens and open connections end at once. Its workspaces keep running until "
        "somebody "
        "stops them.\n\nExample:\n  agentdb9 user disable ada@example.org");
    disable->callback([&context, disabled] {
        change(open_operator(context), *disabled, "disable", {},
               "is disabled: sessions and open connections have ended.", context.json);
    });
    auto enabled = std::make_shared<std::string>();
    add_on_account(*user, context, "enable", "Let a disabled account in again", enabled)
        ->callback([&context, enabled] {
            change(open_operator(context), *enabled, "enable", {}, "is enabled and may log in.",
                   context.json);
        });
    add_user_reset(*user, context);
    add_user_quota(*user, context);
}

}  // namespace agentdb9::cli
