// The calls of the public API, as whoever is logged in. Blocking; main thread. Every refusal is thrown as a
// base::Error with the API's own sentence and the request id; a server that cannot be reached is kUnavailable
// or kTimeout. No message ever holds a password or a token.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/json.hpp"
#include "cli/client/http.hpp"
#include "cli/client/session_file.hpp"
#include "cli/client/websocket.hpp"

namespace agentdb9::cli::client {

struct ApiAnswer {
    int status = 0;
    json::object body;  // the envelope
    // Its `data`; null where there is none.
    json::value data() const;
};

struct ApiOptions {
    std::string ca_file;                      // --cacert; empty: as remembered, else the system's
    std::chrono::milliseconds limit{60'000};  // for each call
};

// What a failed or refused exchange with `url` means to a person. Pure.
base::Error failure_error(const std::string& url, const HttpFailure& failure,
                          std::chrono::milliseconds limit);
// Throws for anything but a success of this API.
ApiAnswer read_answer(const std::string& url, const HttpAnswer& answer);

// `data` of a list: objects alone. Throws {kUpstream, "answer_unreadable"} for anything else.
const json::array& rows_of(const json::value& data, const std::string& url);
base::Error unreadable(const std::string& url);

// --cacert or AGENTDB9_CACERT, made absolute; empty where neither is set. Throws {kInvalid, "no_ca_file"} for
// one that cannot be read.
std::string chosen_ca_file(const std::string& option);
// AGENTDB9_URL as server_url() reads it; nothing where it is not set.
std::optional<std::string> url_of_environment();
bool is_token(const std::string& text);
// Throws {kInvalid, "invalid_token"} for what cannot be one. `source` is named, the token is not.
void check_token(const std::string& token, const std::string& source);

// A call without a caller: the login itself.
ApiAnswer call_as_nobody(HttpClient& http, const std::string& url, const std::string& path,
                         const json::object& body, std::chrono::milliseconds limit);

class Api {
  public:
    // Who asks: AGENTDB9_URL and AGENTDB9_TOKEN, else the file. Throws {kUnauthenticated, "not_logged_in"}
    // and what SessionFile::load throws.
    static Api open(const ApiOptions& options);
    Api(SessionFile file, StoredSession session, const ApiOptions& options);
    // By a token that is not in the file; `source` is what it is called in errors.
    Api(std::string url, std::string token, std::string source, const ApiOptions& options);

    const std::string& url() const { return session_.url; }
    std::chrono::milliseconds limit() const { return options_.limit; }
    // Whatever waits for the server ends, within a second or so, once this is true.
    void set_cancelled(std::function<bool()> cancelled) {
        cancelled_ = cancelled;
        http_.set_cancelled(std::move(cancelled));
    }

    // `path` with its query, percent-encoded. `body`: sent by POST and PUT alone. `asynchronous`: answer 202
    // rather than wait. `limit`: for an answer that may take longer than others.
    ApiAnswer call(const std::string& method, const std::string& path, const json::object& body = {},
                   bool asynchronous = false, std::chrono::milliseconds limit = std::chrono::milliseconds(0));
    ApiAnswer get(const std::string& path) { return call("GET", path); }
    // A call whose answer is a stream of events, given to `on_piece` as it comes; false: enough. `headers`:
    // beside those of every call. Throws as call() does where it is refused, or breaks off.
    void stream(const std::string& method, const std::string& path, const json::object& body,
                std::vector<std::string> headers, const std::function<bool(std::string_view)>& on_piece);
    // A body of any size, given by `read_body` (HttpRequest). Sent once.
    ApiAnswer upload(const std::string& path,
                     const std::function<std::optional<std::size_t>(std::span<char>)>& read_body);
    // A body of any size, given to `on_piece` as it comes; false: it is of no use any more, which is no
    // failure of this call.
    void download(const std::string& path, const std::function<bool(std::string_view)>& on_piece);
    // A WebSocket of the API's. Throws as call() does.
    std::unique_ptr<WebSocket> open_websocket(const std::string& path);
    // All pages of a list. `path` may have a query.
    json::array list(const std::string& path);

  private:
    HttpAnswer send(const std::string& method, const std::string& path, const std::string& body,
                    bool asynchronous, std::chrono::milliseconds limit);
    // As the caller, whose token is renewed where it has to be.
    ApiAnswer authorized(const std::function<HttpAnswer()>& send);
    bool is_session() const { return source_.empty() && session_.api_token.empty(); }
    const std::string& token() const;
    // Exchanges the refresh token, unless another command has done so since `refused` was read. By value: it
    // is a part of the session, which is replaced on the way.
    void renew(std::string refused);
    base::Error over() const;

    SessionFile file_;
    StoredSession session_;
    std::string source_;  // of a token that is not in the file
    ApiOptions options_;
    std::string ca_file_;
    std::function<bool()> cancelled_;
    HttpClient http_;
};

}  // namespace agentdb9::cli::client
