// Docker Engine's HTTP API (https://docs.docker.com/engine/api/v1.41/) over a unix socket or TCP. A status is
// an answer, not a failure; failures are base::Error: kUnavailable "runtime_unavailable" when the engine
// cannot be reached or breaks off, kTimeout "runtime_timeout" when it does not answer in time. Control
// executor only.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/json.hpp"
#include "runtime/docker/engine_calls.hpp"

namespace agentdb9::runtime::docker {

struct EngineAnswer {
    int status = 0;
    std::string body;

    bool ok() const { return status >= 200 && status < 300; }
    // Throws Error{kUpstream, "runtime_error"} when it is no JSON.
    json::value parsed() const;
    // The engine's own words: the body's "message", or the body.
    std::string message() const;
};

class Hijacked;

// X-Registry-Auth (Engine API, "Authentication"), for calls that make the engine ask an image's registry;
// empty: none.
struct RegistryAuth {
    std::string header;
};

class EngineClient {
  public:
    struct Connection;  // engine_connection.hpp

    // `host`: "unix:///path" or "tcp://address:port"; empty: unix:///var/run/docker.sock. Throws
    // Error{kInvalid, "docker_host"} for anything else.
    EngineClient(asio::any_io_executor executor, base::Clock& clock, const std::string& host);
    ~EngineClient();

    // `target` without the version prefix, e.g. "/containers/json?all=1". `limit`: for the whole call.
    Task<EngineAnswer> call(std::string method, std::string target,
                            std::optional<json::value> body = std::nullopt,
                            std::chrono::milliseconds limit = std::chrono::seconds(15),
                            RegistryAuth auth = {});

    // Follows a streamed answer until it ends, breaks off, or the caller is cancelled. `on_open` is called
    // with the status once the head has arrived; `on_data` with each piece of the body. `silence`: how long
    // nothing may come; absent: for ever, once the head is there.
    Task<int> stream(std::string method, std::string target, std::function<void(int status)> on_open,
                     std::function<void(std::string_view)> on_data,
                     std::optional<std::chrono::milliseconds> silence, RegistryAuth auth = {});

    // A GET whose body goes to `sink`, when the engine agrees; a refusal's comes back with the answer.
    // `limit`: how long nothing may come. What the sink throws is thrown on.
    Task<EngineAnswer> download(std::string target, base::ByteSink& sink, std::chrono::milliseconds limit);
    // The same for a body without an end, until it ends after all, breaks off, or the caller is cancelled:
    // once the head is there, nothing may come for ever. Not more is read than the sink takes.
    Task<EngineAnswer> follow(std::string target, base::ByteSink& sink);
    // A tar stream as the request's body. `limit`: how long the engine may take nothing, or, after the end,
    // not answer. What the source throws is thrown on; the engine then sees the stream break off.
    Task<EngineAnswer> upload(std::string method, std::string target, base::ByteSource& source,
                              std::chrono::milliseconds limit);

    struct Hijack {
        EngineAnswer answer;
        std::unique_ptr<Hijacked> stream;  // null: it was refused
        bool both_ways = false;            // false: what is sent may not arrive
    };
    // A POST after which the connection is bytes both ways (hijacked.hpp). `limit`: until that is so. Never
    // sent twice.
    Task<Hijack> hijack(std::string target, json::value body, std::chrono::milliseconds limit);

    // Asks the engine for its versions and agrees on one: the lower of ours and its own. Done by itself
    // before the first call and after a loss. Throws Error{kUnavailable}: "runtime_too_old" below 1.41,
    // "runtime_too_new" when it serves none that we know.
    Task<std::string> negotiate();

    // Of call().
    const EngineCalls& calls() const { return calls_; }

    bool is_local() const {
        return local_;
    }  // a unix socket: addresses of its networks can be reached from here
    const std::string& remote_host() const { return remote_host_; }

  private:
    struct Streaming;
    struct Request {
        std::string method;
        std::string target;
        std::string body;
        RegistryAuth auth;
    };
    using ConnectionPtr = std::unique_ptr<Connection>;

    Task<ConnectionPtr> connect();
    // A call with as many tries as it takes: over kept connections that turn out to be dead, and versions.
    Task<EngineAnswer> repeat(Request request);
    // One try. Nothing when a kept connection turned out to be dead.
    Task<std::optional<EngineAnswer>> exchange(Request request);
    static Task<EngineAnswer> exchange_on(Connection& connection, Request request);
    // Within the body of stream(): until the head is there.
    Task<std::unique_ptr<Streaming>> open_stream(std::string method, std::string target,
                                                 RegistryAuth auth = {});
    // The next piece into `piece`; how much it was.
    Task<std::size_t> read_piece(Streaming& from, std::span<char> piece);
    // The bodies of download() and upload(): what is waited for is told to `silence`.
    class Silence;
    Task<> receive(std::string target, base::ByteSink& sink, Silence& silence, EngineAnswer& answer);
    Task<> send(std::string method, std::string target, base::ByteSource& source, Silence& silence,
                EngineAnswer& answer);
    // What has come of the body, to where download() says.
    static Task<> deliver(EngineAnswer& answer, std::span<const char> bytes, base::ByteSink& sink);
    static Task<> send_chunk(Connection& connection, std::span<const char> bytes,
                             boost::system::error_code& broken);
    Task<ConnectionPtr> open_upload(std::string method, std::string target);
    static Task<EngineAnswer> read_answer(Connection& connection);
    Task<Hijack> open_hijack(std::string target, std::string body);
    // After a loss the engine may be another one, of another version.
    void forget_engine();
    [[noreturn]] void throw_timeout(const std::string& what) const;
    [[noreturn]] void throw_unavailable(const std::string& reason) const;

    asio::any_io_executor executor_;
    base::Clock& clock_;
    std::string socket_path_;
    std::string remote_host_;
    int remote_port_ = 0;
    bool local_ = true;
    std::string version_;  // "1.41"; empty until negotiated
    std::vector<ConnectionPtr> idle_;
    EngineCalls calls_;
};

// RFC 3986: everything but unreserved characters is encoded.
std::string percent_encode(std::string_view text);

}  // namespace agentdb9::runtime::docker
