// One HTTP exchange with a server anywhere, by libcurl: blocking, with time limits. Certificates are always
// checked; redirects are not followed, so that no token goes where nobody meant it to. Main thread only.
#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace agentdb9::cli::client {

struct HttpRequest {
    std::string method;
    std::string url;                   // whole, http or https
    std::vector<std::string> headers;  // "Name: value"
    std::string body;
    std::chrono::milliseconds limit{60'000};  // for the whole exchange
    bool may_be_cancelled = true;
    // Where it is set, the body of a success comes piece by piece instead, and `limit` is how long nothing
    // may come. False: enough.
    std::function<bool(std::string_view piece)> on_piece = {};
    // Where it is set, the body is what this gives instead: fills the room and says how much; 0: the end;
    // absent: there is nothing more to come, and it is not whole. `limit` is how long nothing may go.
    std::function<std::optional<std::size_t>(std::span<char> room)> read_body = {};
};

struct HttpAnswer {
    int status = 0;
    std::string body;      // of 32 MiB at most
    std::string location;  // where a redirect leads; empty without one
};

struct HttpFailure {
    enum class Kind {
        kUnreachable,  // no such name, nobody listens, or the connection broke
        kSilent,       // no whole answer in time
        kCertificate,  // it cannot be trusted, or TLS could not be agreed on
        kCancelled,    // or there was enough of it
        kOther
    };
    Kind kind = Kind::kOther;
    std::string reason;  // libcurl's words; without anything that was sent
};

// Of a CURLcode.
HttpFailure::Kind failure_kind(int curl_code);

class HttpClient {
  public:
    // `ca_file`: the authorities that count, PEM, instead of the system's; empty: the system's.
    explicit HttpClient(std::string ca_file);
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;
    ~HttpClient();

    // An exchange under way that may be cancelled ends with kCancelled, within a second, once this is true.
    void set_cancelled(std::function<bool()> cancelled) { cancelled_ = std::move(cancelled); }

    // Throws what the functions of `request` and set_cancelled() throw; the exchange has ended then.
    std::expected<HttpAnswer, HttpFailure> send(const HttpRequest& request);

  private:
    class Handle;
    std::string ca_file_;
    std::function<bool()> cancelled_;
    std::unique_ptr<Handle> handle_;  // keeps the connection for the next exchange
};

}  // namespace agentdb9::cli::client
