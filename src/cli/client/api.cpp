#include "cli/client/api.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <iostream>

#include "cli/client/server_url.hpp"
#include "cli/client/signals_held.hpp"
#include "cli/client/text.hpp"
#include "runtime/docker/engine_client.hpp"

namespace agentdb9::cli::client {
namespace {

using base::Error;
using base::ErrorCode;

// An access token that ends within this time may end on its way.
constexpr std::int64_t kRenewAheadSeconds = 20;
constexpr std::chrono::milliseconds kRenewLimit{30'000};
// A stream says something every fifteen seconds, whatever happens.
constexpr std::chrono::milliseconds kQuietLimit{45'000};
// How long nothing may pass of files: the server's end of them may take a while for many.
constexpr std::chrono::milliseconds kCopyLimit{300'000};

std::string environment(const char* name) {
    const auto* value = std::getenv(name);
    return value != nullptr ? value : "";
}

std::int64_t now_seconds() {
    return static_cast<std::int64_t>(std::time(nullptr));
}

std::vector<std::string> headers_of(const std::string& token, bool has_body, bool asynchronous) {
    std::vector<std::string> headers{"Accept: application/json"};
    if (!token.empty()) headers.push_back("Authorization: Bearer " + token);
    // Without this libcurl would name a form.
    headers.emplace_back(has_body ? "Content-Type: application/json" : "Content-Type:");
    if (asynchronous) headers.emplace_back("Prefer: respond-async");
    return headers;
}

HttpAnswer exchange(HttpClient& http, const std::string& url, const HttpRequest& request) {
    auto answer = http.send(request);
    if (!answer) throw failure_error(url, answer.error(), request.limit);
    return std::move(*answer);
}

}  // namespace

json::value ApiAnswer::data() const {
    const auto* value = body.if_contains("data");
    return value != nullptr ? *value : json::value(nullptr);
}

std::string chosen_ca_file(const std::string& option) {
    const auto chosen = option.empty() ? environment("AGENTDB9_CACERT") : option;
    if (chosen.empty()) return {};
    std::error_code ec;
    const auto whole = std::filesystem::absolute(chosen, ec);
    if (ec || ::access(whole.c_str(), R_OK) != 0 || std::filesystem::is_directory(whole, ec)) {
        throw Error(
            ErrorCode::kInvalid, "no_ca_file",
            whole.string() + " cannot be read: name a file with certificates in PEM form by --cacert.");
    }
    return whole.string();
}

std::optional<std::string> url_of_environment() {
    const auto url = environment("AGENTDB9_URL");
    if (url.empty()) return std::nullopt;
    return server_url(url);
}

bool is_token(const std::string& text) {
    return !text.empty() && text.size() <= 4096 &&
           std::ranges::all_of(text, [](unsigned char c) { return c > ' ' && c < 0x7f; });
}

void check_token(const std::string& token, const std::string& source) {
    if (is_token(token)) return;
    throw Error(ErrorCode::kInvalid, "invalid_token",
                source + " holds no token: it is one word, as 'agentdb9 token create' prints it.");
}

ApiAnswer call_as_nobody(HttpClient& http, const std::string& url, const std::string& path,
                         const json::object& body, std::chrono::milliseconds limit) {
    return read_answer(url, exchange(http, url,
                                     {.method = "POST",
                                      .url = url + path,
                                      .headers = headers_of({}, true, false),
                                      .body = base::to_text(body),
                                      .limit = limit}));
}

Api Api::open(const ApiOptions& options) {
    auto file = SessionFile::of_user();
    const auto url = url_of_environment();
    const auto token = environment("AGENTDB9_TOKEN");
    auto with_ca = options;
    with_ca.ca_file = chosen_ca_file(options.ca_file);
    if (!token.empty()) {
        check_token(token, "AGENTDB9_TOKEN");
        if (url) {
            if (is_plain_and_remote(*url)) {
                std::cerr << "warning: AGENTDB9_URL is http:// to another machine: whoever is on the way can "
                             "read the "
                             "token. Use https://.\n";
            }
            return Api(*url, token, "AGENTDB9_TOKEN", with_ca);
        }
        const auto stored = file.load();
        if (!stored) {
            throw Error(ErrorCode::kInvalid, "no_server",
                        "AGENTDB9_TOKEN is set, but no server is named: set AGENTDB9_URL.");
        }
        if (with_ca.ca_file.empty()) with_ca.ca_file = stored->ca_file;
        return Api(stored->url, token, "AGENTDB9_TOKEN", with_ca);
    }
    auto stored = file.load();
    if (file.was_open()) {
        std::cerr << "warning: other users of this machine could read " << file.path().string()
                  << ". That is mended; if somebody may have, log out and in again.\n";
    }
    if (!stored) {
        throw Error(ErrorCode::kUnauthenticated, "not_logged_in",
                    "You are not logged in: 'agentdb9 login " + url.value_or("URL") +
                        "', or set AGENTDB9_URL and AGENTDB9_TOKEN.");
    }
    // A token goes to the server that gave it, and to no other.
    if (url && *url != stored->url) {
        throw Error(ErrorCode::kUnauthenticated, "other_server",
                    "AGENTDB9_URL names " + *url + ", but you are logged in at " + stored->url +
                        ": 'agentdb9 login " + *url +
                        "', set AGENTDB9_TOKEN as well, or unset AGENTDB9_URL.");
    }
    return Api(std::move(file), std::move(*stored), with_ca);
}

Api::Api(SessionFile file, StoredSession session, const ApiOptions& options)
    : file_(std::move(file)),
      session_(std::move(session)),
      options_(options),
      ca_file_(options.ca_file.empty() ? session_.ca_file : options.ca_file),
      http_(ca_file_) {}

Api::Api(std::string url, std::string token, std::string source, const ApiOptions& options)
    : file_(std::filesystem::path()),
      session_{.url = std::move(url),
               .ca_file = {},
               .email = {},
               .api_token = std::move(token),
               .access_token = {},
               .refresh_token = {}},
      source_(std::move(source)),
      options_(options),
      ca_file_(options.ca_file),
      http_(ca_file_) {}

const std::string& Api::token() const {
    return session_.api_token.empty() ? session_.access_token : session_.api_token;
}

Error Api::over() const {
    if (!source_.empty()) {
        return Error(
            ErrorCode::kUnauthenticated, "token_refused",
            "The server at " + url() + " does not accept " + source_ +
                ": it was revoked, has expired or is another server's. 'agentdb9 token create' makes one.");
    }
    const std::string what = is_session() ? "Your session at " : "Your API token for ";
    return Error(ErrorCode::kUnauthenticated, "session_over",
                 what + url() + (is_session() ? " has ended" : " is not valid any more") +
                     ". Log in again: agentdb9 login " + url());
}

HttpAnswer Api::send(const std::string& method, const std::string& path, const std::string& body,
                     bool asynchronous, std::chrono::milliseconds limit) {
    return exchange(http_, url(),
                    {.method = method,
                     .url = url() + path,
                     .headers = headers_of(token(), !body.empty(), asynchronous),
                     .body = body,
                     .limit = std::max(options_.limit, limit)});
}

ApiAnswer Api::call(const std::string& method, const std::string& path, const json::object& body,
                    bool asynchronous, std::chrono::milliseconds limit) {
    const auto text =
        (method == "POST" || method == "PUT") && !body.empty() ? base::to_text(body) : std::string();
    return authorized([&] { return send(method, path, text, asynchronous, limit); });
}

ApiAnswer Api::authorized(const std::function<HttpAnswer()>& send) {
    if (is_session() && session_.access_expires_at - kRenewAheadSeconds <= now_seconds()) renew(token());
    auto answer = send();
    if (answer.status == 401 && is_session()) {
        renew(token());
        answer = send();
    }
    if (answer.status == 401) throw over();
    return read_answer(url(), answer);
}

void Api::stream(const std::string& method, const std::string& path, const json::object& body,
                 std::vector<std::string> headers, const std::function<bool(std::string_view)>& on_piece) {
    const auto text = method == "POST" ? base::to_text(body) : std::string();
    bool enough = false;
    authorized([&] {
        HttpRequest request{.method = method,
                            .url = url() + path,
                            .headers = headers_of(token(), !text.empty(), false),
                            .body = text,
                            .limit = std::max(options_.limit, kQuietLimit),
                            .on_piece = [&](std::string_view piece) {
                                enough = !on_piece(piece);
                                return !enough;
                            }};
        request.headers.front() = "Accept: text/event-stream";
        request.headers.insert(request.headers.end(), headers.begin(), headers.end());
        auto answer = http_.send(request);
        // A body that was taken in pieces is none here.
        if (enough || (answer && answer->status == 200))
            return HttpAnswer{.status = 200, .body = R"({"success":true})", .location = {}};
        if (!answer) throw failure_error(url(), answer.error(), options_.limit);
        return std::move(*answer);
    });
}

ApiAnswer Api::upload(const std::string& path,
                      const std::function<std::optional<std::size_t>(std::span<char>)>& read_body) {
    // What has been read once cannot be sent again: a token that ends on the way is told.
    if (is_session() && session_.access_expires_at - kRenewAheadSeconds <= now_seconds()) renew(token());
    HttpRequest request{.method = "PUT",
                        .url = url() + path,
                        .headers = headers_of(token(), false, false),
                        .body = {},
                        .limit = std::max(options_.limit, kCopyLimit),
                        .read_body = read_body};
    request.headers.back() = "Content-Type: application/x-tar";
    const auto answer = exchange(http_, url(), request);
    if (answer.status == 401) throw over();
    return read_answer(url(), answer);
}

void Api::download(const std::string& path, const std::function<bool(std::string_view)>& on_piece) {
    bool enough = false;
    authorized([&] {
        HttpRequest request{.method = "GET",
                            .url = url() + path,
                            .headers = headers_of(token(), false, false),
                            .body = {},
                            .limit = std::max(options_.limit, kCopyLimit),
                            .on_piece = [&](std::string_view piece) {
                                enough = !on_piece(piece);
                                return !enough;
                            }};
        request.headers.front() = "Accept: application/x-tar, application/json";
        auto answer = http_.send(request);
        if (enough || (answer && answer->status == 200))
            return HttpAnswer{.status = 200, .body = R"({"success":true})", .location = {}};
        if (!answer) throw failure_error(url(), answer.error(), request.limit);
        return std::move(*answer);
    });
}

std::unique_ptr<WebSocket> Api::open_websocket(const std::string& path) {
    std::unique_ptr<WebSocket> socket;
    authorized([&] {
        auto opened = WebSocket::open(url() + path, {"Authorization: Bearer " + token()}, ca_file_,
                                      options_.limit, cancelled_);
        if (!opened) throw failure_error(url(), opened.error(), options_.limit);
        socket = std::move(opened->socket);
        if (socket) return HttpAnswer{.status = 200, .body = R"({"success":true})", .location = {}};
        return std::move(opened->answer);
    });
    if (!socket) throw unreadable(url());
    return socket;
}

json::array Api::list(const std::string& path) {
    json::array rows;
    std::string cursor;
    do {
        const auto page = get(path + (path.contains('?') ? "&" : "?") + "limit=100" +
                              (cursor.empty() ? "" : "&cursor=" + cursor));
        const auto data = page.data();
        const auto& page_rows = rows_of(data, url());
        rows.insert(rows.end(), page_rows.begin(), page_rows.end());
        cursor = runtime::docker::percent_encode(text_in(page.body, "nextCursor"));
    } while (!cursor.empty());
    return rows;
}

// 1. One command at a time. 2. Whoever held the lock before may have renewed it. 3. That the file can be
// written is tried before the old token is spent. 4. The new tokens are on disk before they are used.
void Api::renew(std::string refused) {
    const auto lock = file_.lock();
    auto stored = file_.load();
    if (!stored || stored->url != session_.url || stored->email != session_.email ||
        !stored->api_token.empty()) {
        throw Error(ErrorCode::kUnauthenticated, "session_replaced",
                    "Another command logged out or logged in meanwhile: run this one again.");
    }
    session_ = std::move(*stored);
    if (session_.access_token != refused && session_.access_expires_at > now_seconds()) return;

    // Between the exchange of a refresh token and its record on disk nothing may end this process.
    const SignalsHeld held;
    file_.save(session_);
    const auto answer =
        exchange(http_, url(),
                 {.method = "POST",
                  .url = url() + "/api/auth/refresh",
                  .headers = headers_of({}, true, false),
                  .body = base::to_text(json::object{{"refreshToken", session_.refresh_token}}),
                  .limit = kRenewLimit,
                  .may_be_cancelled = false});
    if (answer.status == 401) throw over();
    const auto tokens = read_answer(url(), answer);
    auto next = session_;
    next.access_token = text_in(tokens.body, "accessToken");
    next.refresh_token = text_in(tokens.body, "refreshToken");
    if (!is_token(next.access_token) || !is_token(next.refresh_token)) throw unreadable(url());
    const auto* life = tokens.body.if_contains("expiresIn");
    next.access_expires_at = now_seconds() + (life != nullptr && life->is_int64() ? life->get_int64() : 60);
    file_.save(next);
    session_ = std::move(next);
}

}  // namespace agentdb9::cli::client
