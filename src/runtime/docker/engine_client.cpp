#include <boost/asio/connect.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <charconv>

#include "base/error.hpp"
#include "base/log.hpp"
#include "runtime/docker/engine_connection.hpp"

namespace agentdb9::runtime::docker {

namespace beast = boost::beast;
using base::Error;
using base::ErrorCode;
using boost::system::error_code;

namespace {

constexpr std::string_view kOurVersion = "1.45";
constexpr std::string_view kLowestVersion = "1.41";
constexpr std::size_t kIdleConnections = 16;
constexpr std::size_t kLargestAnswer = 64UL * 1024 * 1024;
constexpr std::chrono::seconds kNegotiationLimit(5);
constexpr std::chrono::seconds kHeadLimit(15);
constexpr std::size_t kLongestSocketPath = 100;
constexpr std::string_view kRegistryAuth = "X-Registry-Auth";

std::pair<int, int> version_parts(std::string_view text) {
    int major = 0, minor = 0;
    const auto dot = text.find('.');
    if (dot == std::string_view::npos) return {0, 0};
    std::from_chars(text.data(), text.data() + dot, major);
    std::from_chars(text.data() + dot + 1, text.data() + text.size(), minor);
    return {major, minor};
}

std::string text_of(const json::value& answer, std::string_view key) {
    const auto* value = answer.is_object() ? answer.get_object().if_contains(key) : nullptr;
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

// The engine refuses the version in the path: it is not the one that we agreed with.
bool speaks_another_version(const EngineAnswer& answer) {
    return answer.status == 400 && answer.message().starts_with("client version ");
}

Error invalid_host(const std::string& address) {
    return Error(ErrorCode::kInvalid, "docker_host",
                 "The engine's address '" + address +
                     "' is not understood; use unix:///path or tcp://ADDRESS:PORT with an IP address.");
}

EngineCallMeasures::Outcome outcome_of(int status) {
    const bool answer = status < 400 || status == 404 || status == 409;
    return answer ? EngineCallMeasures::kAnswered : EngineCallMeasures::kRefused;
}

// Counts an end however it comes.
class CallEnd {
  public:
    CallEnd(const base::Clock& clock, EngineCallMeasures& measures)
        : clock_(clock), measures_(measures), began_(clock.steady_now()) {}
    CallEnd(const CallEnd&) = delete;
    CallEnd& operator=(const CallEnd&) = delete;
    ~CallEnd() {
        measures_.took.record(clock_.steady_now() - began_);
        ++measures_.ended[outcome];
    }
    EngineCallMeasures::Outcome outcome = EngineCallMeasures::kGivenUp;

  private:
    const base::Clock& clock_;
    EngineCallMeasures& measures_;
    base::SteadyTime began_;
};

}  // namespace

json::value EngineAnswer::parsed() const {
    error_code ec;
    auto value = json::parse(body, ec);
    if (ec) {
        throw Error(ErrorCode::kUpstream, "runtime_error",
                    "The container engine gave an answer that cannot be read; try again.")
            .with_internal(ec.message());
    }
    return value;
}

std::string EngineAnswer::message() const {
    error_code ec;
    const auto value = json::parse(body, ec);
    if (!ec && value.is_object()) {
        if (const auto* text = value.get_object().if_contains("message");
            text != nullptr && text->is_string()) {
            return std::string(text->get_string());
        }
    }
    return body.substr(0, 300);
}

EngineClient::EngineClient(asio::any_io_executor executor, base::Clock& clock, const std::string& host)
    : executor_(std::move(executor)), clock_(clock) {
    const std::string address = host.empty() ? "unix:///var/run/docker.sock" : host;
    if (address.starts_with("unix://")) {
        socket_path_ = address.substr(7);
        if (socket_path_.empty()) throw invalid_host(address);
        if (socket_path_.size() > kLongestSocketPath)
            throw Error(ErrorCode::kInvalid, "docker_host", "The engine socket's path is too long.");
        return;
    }
    const auto rest = address.starts_with("tcp://") ? address.substr(6) : std::string();
    const auto colon = rest.rfind(':');
    if (colon == std::string::npos) throw invalid_host(address);
    local_ = false;
    remote_host_ = rest.substr(0, colon);
    if (remote_host_.starts_with('[') && remote_host_.ends_with(']'))
        remote_host_ = remote_host_.substr(1, remote_host_.size() - 2);
    error_code ec;
    asio::ip::make_address(remote_host_, ec);
    const auto* last = rest.data() + rest.size();
    const auto [end, failure] = std::from_chars(rest.data() + colon + 1, last, remote_port_);
    if (ec || failure != std::errc() || end != last || remote_port_ < 1 || remote_port_ > 65535)
        throw invalid_host(address);
}

EngineClient::~EngineClient() = default;

void EngineClient::throw_unavailable(const std::string& reason) const {
    const auto where = local_ ? socket_path_ : remote_host_ + ":" + std::to_string(remote_port_);
    throw Error(ErrorCode::kUnavailable, "runtime_unavailable",
                "The container engine does not answer at present; check on the server that it runs and that "
                "its socket may be used.")
        .with_internal(where + ": " + reason);
}

void EngineClient::throw_timeout(const std::string& what) const {
    throw Error(ErrorCode::kTimeout, "runtime_timeout",
                "The container engine did not answer in time; it may be overloaded. Try again in a while.")
        .with_internal(what);
}

void EngineClient::forget_engine() {
    idle_.clear();
    version_.clear();
}

Task<EngineClient::ConnectionPtr> EngineClient::connect() {
    for (;;) {
        auto connection = std::make_unique<Connection>(executor_);
        auto& socket = connection->socket;
        error_code ec;
        if (local_) {
            const asio::local::stream_protocol::endpoint endpoint(socket_path_);
            co_await socket.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, ec));
        } else {
            const asio::ip::tcp::endpoint endpoint(asio::ip::make_address(remote_host_),
                                                   static_cast<std::uint16_t>(remote_port_));
            co_await socket.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, ec));
            if (!ec) {
                // An event stream is silent for days: that the other side is gone has to be asked for.
                error_code ignored;
                socket.set_option(asio::socket_base::keep_alive(true), ignored);
                socket.set_option(asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPIDLE>(30),
                                  ignored);
                socket.set_option(asio::ip::tcp::no_delay(true), ignored);
            }
        }
        if (ec == asio::error::operation_aborted) throw boost::system::system_error(ec);
        // A unix socket whose queue is full seems connected to Asio, but has no other end. It will be
        // accepted, only not now.
        if (!ec && local_ && (socket.remote_endpoint(ec), ec == asio::error::not_connected)) {
            co_await clock_.sleep_for(std::chrono::milliseconds(10));
            continue;
        }
        if (ec) throw_unavailable(ec.message());
        co_return connection;
    }
}

Task<std::string> EngineClient::negotiate() {
    std::optional<EngineAnswer> answer;
    while (!answer) {
        auto tried = co_await base::with_timeout(
            clock_, kNegotiationLimit,
            exchange({.method = "GET", .target = "/version", .body = {}, .auth = {}}));
        if (!tried) throw_timeout("GET /version");
        answer = std::move(*tried);
    }
    if (!answer->ok()) throw_unavailable("it answers /version with " + std::to_string(answer->status));
    const auto parsed = answer->parsed();
    const auto theirs = text_of(parsed, "ApiVersion");
    const auto least = text_of(parsed, "MinAPIVersion");
    if (version_parts(theirs).first == 0) throw_unavailable("it does not tell its version: not an engine?");
    if (version_parts(theirs) < version_parts(kLowestVersion)) {
        throw Error(ErrorCode::kUnavailable, "runtime_too_old",
                    "The container engine speaks API version " + theirs +
                        ", but 1.41 (Docker 20.10) or newer is needed; update it.");
    }
    if (version_parts(least) > version_parts(kOurVersion)) {
        throw Error(ErrorCode::kUnavailable, "runtime_too_new",
                    "The container engine speaks no API version below " + least +
                        ", but this server none above " + std::string(kOurVersion) +
                        "; update the server, or set the engine's " + "DOCKER_MIN_API_VERSION.");
    }
    version_ = version_parts(theirs) < version_parts(kOurVersion) ? theirs : std::string(kOurVersion);
    co_return version_;
}

Task<EngineAnswer> EngineClient::call(std::string method, std::string target, std::optional<json::value> body,
                                      std::chrono::milliseconds limit, RegistryAuth auth) {
    const auto what = method + " " + target;
    CallEnd end(clock_, calls_[engine_call_name(method, target)]);
    std::optional<EngineAnswer> answer;
    try {
        answer = co_await base::with_timeout(clock_, limit,
                                             repeat({.method = std::move(method),
                                                     .target = std::move(target),
                                                     .body = body ? json::serialize(*body) : std::string(),
                                                     .auth = std::move(auth)}));
    } catch (const Error&) {
        end.outcome = EngineCallMeasures::kUnavailable;
        throw;
    }
    end.outcome = answer ? outcome_of(answer->status) : EngineCallMeasures::kTimeout;
    if (!answer) throw_timeout(what);
    co_return std::move(*answer);
}

Task<EngineAnswer> EngineClient::repeat(Request request) {
    bool repeated = false;
    bool renegotiated = false;
    for (;;) {
        const auto version = version_.empty() ? co_await negotiate() : version_;
        auto one = request;
        one.target = "/v" + version + request.target;
        auto answer = co_await exchange(std::move(one));
        if (!answer) {
            // The second one was made just now, for the negotiation: it is the engine that breaks off.
            if (repeated) throw_unavailable("it broke off twice");
            repeated = true;
            continue;
        }
        if (speaks_another_version(*answer) && !renegotiated) {
            version_.clear();
            renegotiated = true;
            continue;
        }
        co_return std::move(*answer);
    }
}

Task<std::optional<EngineAnswer>> EngineClient::exchange(Request request) {
    ConnectionPtr connection;
    if (!idle_.empty()) {
        connection = std::move(idle_.back());
        idle_.pop_back();
        connection->reused = true;
    } else {
        connection = co_await connect();
    }
    std::optional<EngineAnswer> answer;
    error_code broken;
    try {
        answer = co_await exchange_on(*connection, std::move(request));
    } catch (const boost::system::system_error& failure) {
        if (failure.code() == asio::error::operation_aborted) throw;
        broken = failure.code();
    }
    if (broken) {
        forget_engine();
        // A kept connection may have been closed by a restarted engine. All calls may be repeated.
        if (connection->reused) co_return std::nullopt;
        throw_unavailable(broken.message());
    }
    if (connection->keep && idle_.size() < kIdleConnections) idle_.push_back(std::move(connection));
    co_return answer;
}

Task<EngineAnswer> EngineClient::exchange_on(Connection& connection, Request wanted) {
    beast::http::request<beast::http::string_body> request;
    request.method_string(wanted.method);
    request.target(wanted.target);
    request.version(11);
    request.set(beast::http::field::host, "docker");
    if (!wanted.auth.header.empty()) request.set(kRegistryAuth, wanted.auth.header);
    if (!wanted.body.empty()) {
        request.set(beast::http::field::content_type, "application/json");
        request.body() = std::move(wanted.body);
    }
    request.prepare_payload();
    co_await beast::http::async_write(connection.socket, request, asio::use_awaitable);
    beast::http::response_parser<beast::http::string_body> parser;
    parser.body_limit(kLargestAnswer);
    if (wanted.method == "HEAD") parser.skip(true);
    co_await beast::http::async_read(connection.socket, connection.buffer, parser, asio::use_awaitable);
    // What came beyond the answer belongs to nothing that we asked.
    connection.keep = parser.keep_alive() && connection.buffer.size() == 0;
    co_return EngineAnswer{static_cast<int>(parser.get().result_int()), std::move(parser.get().body())};
}

Task<std::unique_ptr<EngineClient::Streaming>> EngineClient::open_stream(std::string method,
                                                                         std::string target,
                                                                         RegistryAuth auth) {
    const auto version = version_.empty() ? co_await negotiate() : version_;
    auto stream = std::make_unique<Streaming>();
    stream->connection = co_await connect();
    beast::http::request<beast::http::empty_body> request;
    request.method_string(method);
    request.target("/v" + version + target);
    request.version(11);
    request.set(beast::http::field::host, "docker");
    if (!auth.header.empty()) request.set(kRegistryAuth, auth.header);
    request.prepare_payload();
    stream->parser.body_limit(boost::none);
    auto& socket = stream->connection->socket;
    error_code ec;
    co_await beast::http::async_write(socket, request, asio::redirect_error(asio::use_awaitable, ec));
    if (!ec) {
        co_await beast::http::async_read_header(socket, stream->connection->buffer, stream->parser,
                                                asio::redirect_error(asio::use_awaitable, ec));
    }
    if (ec == asio::error::operation_aborted) throw boost::system::system_error(ec);
    if (ec) {
        forget_engine();
        throw_unavailable(ec.message());
    }
    co_return stream;
}

Task<std::size_t> EngineClient::read_piece(Streaming& from, std::span<char> piece) {
    from.parser.get().body().data = piece.data();
    from.parser.get().body().size = piece.size();
    error_code ec;
    // Not async_read: that waits until `piece` is full, and an event would wait for twenty others.
    co_await beast::http::async_read_some(from.connection->socket, from.connection->buffer, from.parser,
                                          asio::redirect_error(asio::use_awaitable, ec));
    if (ec == asio::error::operation_aborted) throw boost::system::system_error(ec);
    const auto got = piece.size() - from.parser.get().body().size;
    // What came before the break counts; the next read meets the break again.
    if (ec && ec != beast::http::error::need_buffer && got == 0) {
        forget_engine();
        throw_unavailable(ec.message());
    }
    co_return got;
}

Task<int> EngineClient::stream(std::string method, std::string target, std::function<void(int)> on_open,
                               std::function<void(std::string_view)> on_data,
                               std::optional<std::chrono::milliseconds> silence, RegistryAuth auth) {
    const auto what = method + " " + target;
    auto opened =
        co_await base::with_timeout(clock_, silence.value_or(kHeadLimit),
                                    open_stream(std::move(method), std::move(target), std::move(auth)));
    if (!opened) throw_timeout(what);
    auto& stream = **opened;
    const int status = static_cast<int>(stream.parser.get().result_int());
    if (status == 400) version_.clear();  // perhaps because it is another engine by now
    on_open(status);
    std::array<char, 16384> piece{};
    while (!stream.parser.is_done()) {
        std::optional<std::size_t> got;
        if (silence) {
            got = co_await base::with_timeout(clock_, *silence, read_piece(stream, piece));
        } else {
            got = co_await read_piece(stream, piece);
        }
        if (!got) throw_timeout(what);
        if (*got > 0) on_data(std::string_view(piece.data(), *got));
    }
    co_return status;
}

std::string percent_encode(std::string_view text) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           c == '-' || c == '.' || c == '_' || c == '~';
        if (plain) {
            out += c;
        } else {
            out += '%';
            out += kHex[static_cast<unsigned char>(c) >> 4];
            out += kHex[static_cast<unsigned char>(c) & 15];
        }
    }
    return out;
}

}  // namespace agentdb9::runtime::docker
