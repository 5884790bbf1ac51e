// login, logout, whoami.
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <ctime>
#include <iostream>

#include "cli/client/commands.hpp"
#include "cli/client/server_url.hpp"
#include "cli/client/text.hpp"
#include "cli/table.hpp"
#include "cli/terminal.hpp"

namespace agentdb9::cli::client {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::chrono::seconds kGoodbyeLimit{5};

struct Wanted {
    std::string url;
    std::string email;
    bool password_stdin = false;
    bool token_stdin = false;
};

// A file that cannot be read is replaced by the login, and has nothing to say to it.
std::optional<StoredSession> remembered(SessionFile& file) {
    try {
        return file.load();
    } catch (const Error&) {
        return std::nullopt;
    }
}

std::string choose_url(const Wanted& wanted, const std::optional<StoredSession>& before) {
    if (!wanted.url.empty()) return server_url(wanted.url);
    if (const auto url = url_of_environment()) return *url;
    return before ? before->url : std::string(kLocalServer);
}

std::string choose_email(const Wanted& wanted) {
    if (!wanted.email.empty()) return wanted.email;
    if (wanted.password_stdin || !stdin_is_terminal()) {
        throw Error(
            ErrorCode::kInvalid, "no_email",
            "Who logs in? Nobody can be asked here: name the account with --email, and give its password "
            "with --password-stdin, or an API token with --token-stdin.");
    }
    auto email = ask("Email: ");
    if (email.empty()) throw Error(ErrorCode::kInvalid, "no_email", "An email address is needed to log in.");
    return email;
}

StoredSession log_in_by_password(HttpClient& http, const Wanted& wanted, StoredSession session,
                                 std::chrono::milliseconds limit) {
    session.email = choose_email(wanted);
    if (!wanted.password_stdin && !stdin_is_terminal()) {
        throw Error(ErrorCode::kInvalid, "no_password",
                    "The password cannot be asked for here: give it with --password-stdin.");
    }
    const auto answer = call_as_nobody(http, session.url, "/api/auth/login",
                                       {{"email", session.email}, {"password", read_password()}}, limit);
    session.access_token = text_in(answer.body, "accessToken");
    session.refresh_token = text_in(answer.body, "refreshToken");
    if (!is_token(session.access_token) || !is_token(session.refresh_token)) throw unreadable(session.url);
    const auto* life = answer.body.if_contains("expiresIn");
    session.access_expires_at = static_cast<std::int64_t>(std::time(nullptr)) +
                                (life != nullptr && life->is_int64() ? life->get_int64() : 60);
    return session;
}

StoredSession log_in_by_token(StoredSession session, const ApiOptions& options) {
    session.api_token = read_secret(
        "API token: ", "Standard input holds no token: its first line is read with --token-stdin.");
    check_token(session.api_token, "Standard input");
    Api api(session.url, session.api_token, "this token", options);
    const auto data = api.get("/api/auth/profile").data();
    if (data.is_object()) session.email = text_in(data.get_object(), "email");
    return session;
}

// A session that nobody remembers any more would stay open for weeks.
void end_quietly(SessionFile& file, const StoredSession& before) {
    try {
        Api(file, before, {.ca_file = {}, .limit = kGoodbyeLimit}).call("POST", "/api/auth/logout");
    } catch (const Error&) {
        // It ends by itself, in its time.
        return;
    }
}

void log_in(const Context& context, const Wanted& wanted) {
    auto file = SessionFile::of_user();
    const auto before = remembered(file);
    auto options = api_options(context);
    options.ca_file = chosen_ca_file(options.ca_file);
    StoredSession session{.url = choose_url(wanted, before),
                          .ca_file = options.ca_file,
                          .email = {},
                          .api_token = {},
                          .access_token = {},
                          .refresh_token = {}};
    // The same server again: what signs its certificate is known.
    if (session.ca_file.empty() && before && before->url == session.url) session.ca_file = before->ca_file;
    options.ca_file = session.ca_file;
    if (is_plain_and_remote(session.url)) {
        std::cerr
            << "warning: " << session.url
            << " is plain http to another machine: whoever is on the way can read passwords and tokens. "
               "Use https://.\n";
    }
    if (wanted.token_stdin) {
        session = log_in_by_token(std::move(session), options);
    } else {
        if (stdin_is_terminal()) std::cerr << "Logging in at " << session.url << "\n";
        HttpClient http(options.ca_file);
        session = log_in_by_password(http, wanted, std::move(session), options.limit);
    }
    if (before && before->url == session.url && before->api_token.empty()) end_quietly(file, *before);
    {
        const auto lock = file.lock();
        file.save(session);
    }
    if (const auto* token = std::getenv("AGENTDB9_TOKEN"); token != nullptr && *token != '\0')
        std::cerr << "warning: AGENTDB9_TOKEN is set, and goes before this login.\n";
    if (context.json) return print_json({{"url", session.url}, {"email", session.email}});
    std::cout << "Logged in at " << session.url << " as " << printable(session.email) << ".\n";
}

void log_out(const Context& context) {
    auto file = SessionFile::of_user();
    const bool broken = [&] {
        try {
            file.load();
            return false;
        } catch (const Error& error) {
            if (error.word() != "session_file_broken") throw;
            return true;
        }
    }();
    const auto session = broken ? std::nullopt : file.load();
    if (!session && !broken) {
        if (context.json) return print_json(nullptr);
        std::cout << "You are not logged in.\n";
        return;
    }
    if (session && session->api_token.empty()) {
        auto options = api_options(context);
        options.ca_file = chosen_ca_file(options.ca_file);
        try {
            Api(file, *session, options).call("POST", "/api/auth/logout");
        } catch (const Error& error) {
            // One that is over needs no end.
            if (error.code() != ErrorCode::kUnauthenticated) {
                std::cerr << "warning: the session could not be ended at the server: " << error.message()
                          << "\n";
            }
        }
    }
    {
        const auto lock = file.lock();
        file.remove();
    }
    if (context.json) return print_json(nullptr);
    if (!session) {
        std::cout << "Removed " << file.path().string() << ".\n";
        return;
    }
    std::cout << "Logged out of " << session->url << ".\n";
    if (!session->api_token.empty()) {
        std::cout << "The API token stays good until it is revoked: 'agentdb9 token revoke' does that.\n";
    }
}

void who_am_i(const Context& context) {
    auto api = open_api(context);
    const auto data = api.get("/api/auth/profile").data();
    if (context.json) return print_json(data);
    if (!data.is_object()) return;
    const auto& user = data.get_object();
    Table table({"email", shown(user, "email")});
    table.add({"username", shown(user, "username")});
    table.add({"role", shown(user, "role")});
    table.add({"id", shown(user, "id")});
    table.add({"server", api.url()});
    std::cout << table.text();
}

}  // namespace

void add_login(CLI::App& program, Context& context) {
    auto wanted = std::make_shared<Wanted>();
    auto* command = program.add_subcommand("login", "Log in at a server, for the commands that use one");
    command->footer(
        "Kept in $XDG_CONFIG_HOME/agentdb9/client.json (~/.config), for you alone. Passwords and tokens are "
        "never "
        "arguments. Programs set AGENTDB9_URL and AGENTDB9_TOKEN instead, and AGENTDB9_CACERT for "
        "--cacert.\n\n"
        "Examples:\n"
        "  agentdb9 login https://work.example.org\n"
        "  pass show work | agentdb9 login https://work.example.org --email ada@example.org "
        "--password-stdin\n"
        "  agentdb9 login https://work.example.org --token-stdin < token");
    command
        ->add_option("URL", wanted->url,
                     "The server's address; absent: AGENTDB9_URL, the last one, or http://127.0.0.1:8000")
        ->type_name("");
    command->add_option("--email", wanted->email, "Email address of the account; asked for when absent")
        ->type_name("EMAIL");
    auto* password = command->add_flag("--password-stdin", wanted->password_stdin,
                                       "Take the password from the first line of standard input");
    command
        ->add_flag("--token-stdin", wanted->token_stdin,
                   "Take an API token from the first line of standard input, instead of a password")
        ->excludes(password);
    add_client_options(*command, context);
    command->callback([&context, wanted] { log_in(context, *wanted); });
}

void add_logout(CLI::App& program, Context& context) {
    auto* command = program.add_subcommand("logout", "End the session and forget it");
    command->footer("Where the server is away the session is forgotten here and ends there by itself.");
    add_client_options(*command, context);
    command->callback([&context] { log_out(context); });
}

void add_whoami(CLI::App& program, Context& context) {
    auto* command = program.add_subcommand("whoami", "Show who is logged in, and where");
    add_client_options(*command, context);
    command->callback([&context] { who_am_i(context); });
}

}  // namespace agentdb9::cli::client
