#include "runtime/docker/engine_client.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <charconv>

#include "base/error.hpp"
#include "base/log.hpp"

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

std::pair<int, int> version_parts(std::string_view text) {
    int major = 0, minor = 0;
    const auto dot = text.find('.');
    if (dot == std::string_view::npos) return {0, 0};
    std::from_chars(text.data(), text.data() + dot, major);
    std::from_chars(text.data() + dot + 1, text.data() + text.size(), minor);
    return {major, minor};
}

}  // namespace

struct EngineClient::Connection {
    explicit Connection(const asio::any_io_executor& executor) : socket(executor) {}
    asio::generic::stream_protocol::socket socket;
    beast::flat_buffer buffer;
    bool reused = false;
    bool keep = false;  // may be used again
};

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
        if (socket_path_.size() > 100)
            throw Error(ErrorCode::kInvalid, "docker_host", "The engine socket's path is too long.");
        return;
    }
    const auto rest = address.starts_with("tcp://") ? address.substr(6) : std::string();
    const auto colon = rest.rfind(':');
    if (colon == std::string::npos) {
        throw Error(ErrorCode::kInvalid, "docker_host",
                    "The engine's address '" + address +
                        "' is not understood; use unix:///path or tcp://ADDRESS:PORT.");
    }
    local_ = false;
    remote_host_ = rest.substr(0, colon);
    std::from_chars(rest.data() + colon + 1, rest.data() + rest.size(), remote_port_);
}

EngineClient::~EngineClient() = default;

void EngineClient::throw_unavailable(const std::string& reason) const {
    const auto where = local_ ? socket_path_ : remote_host_ + ":" + std::to_string(remote_port_);
    throw Error(ErrorCode::kUnavailable, "runtime_unavailable",
                "The container engine does not answer at present; check on the server that it runs and that "
                "its socket may be used.")
        .with_internal(where + ": " + reason);
}

Task<EngineClient::ConnectionPtr> EngineClient::connect() {
    auto connection = std::make_unique<Connection>(executor_);
    error_code ec;
    if (local_) {
        const asio::local::stream_protocol::endpoint endpoint(socket_path_);
        co_await connection->socket.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, ec));
    } else {
        const auto address = asio::ip::make_address(remote_host_, ec);
        if (!ec) {
            const asio::ip::tcp::endpoint endpoint(address, static_cast<std::uint16_t>(remote_port_));
            co_await connection->socket.async_connect(endpoint,
                                                      asio::redirect_error(asio::use_awaitable, ec));
        }
    }
    if (ec) throw_unavailable(ec.message());
    co_return connection;
}

Task<std::string> EngineClient::negotiate() {
    const auto answer = co_await exchange("GET", "/version", {}, std::chrono::seconds(5));
    if (!answer.ok()) throw_unavailable("it answers /version with " + std::to_string(answer.status));
    const auto parsed = answer.parsed();
    const auto* text = parsed.is_object() ? parsed.get_object().if_contains("ApiVersion") : nullptr;
    const std::string theirs =
        text != nullptr && text->is_string() ? std::string(text->get_string()) : std::string();
    if (version_parts(theirs) < version_parts(kLowestVersion)) {
        throw Error(ErrorCode::kUnavailable, "runtime_too_old",
                    "The container engine speaks API version " + theirs +
                        ", but 1.41 (Docker 20.10) or newer is needed; update it.");
    }
    version_ = version_parts(theirs) < version_parts(kOurVersion) ? theirs : std::string(kOurVersion);
    co_return version_;
}

Task<EngineAnswer> EngineClient::call(std::string method, std::string target, std::optional<json::value> body,
                                      std::chrono::milliseconds limit) {
    if (version_.empty()) co_await negotiate();
    co_return co_await exchange(std::move(method), "/v" + version_ + target,
                                body ? json::serialize(*body) : std::string(), limit);
}

Task<EngineAnswer> EngineClient::exchange(std::string method, std::string target, std::string body,
                                          std::chrono::milliseconds limit) {
    for (;;) {
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
            answer =
                co_await base::with_timeout(clock_, limit, exchange_on(*connection, method, target, body));
        } catch (const boost::system::system_error& failure) {
            if (failure.code() == asio::error::operation_aborted) throw;
            broken = failure.code();
        }
        if (broken) {
            // A kept connection may have been closed by a restarted engine. All calls may be repeated.
            if (connection->reused) {
                idle_.clear();
                continue;
            }
            version_.clear();
            throw_unavailable(broken.message());
        }
        if (!answer) {
            throw Error(
                ErrorCode::kTimeout, "runtime_timeout",
                "The container engine did not answer in time; it may be overloaded. Try again in a while.")
                .with_internal(method + " " + target);
        }
        if (connection->keep && idle_.size() < kIdleConnections) idle_.push_back(std::move(connection));
        co_return std::move(*answer);
    }
}

Task<EngineAnswer> EngineClient::exchange_on(Connection& connection, std::string method, std::string target,
                                             std::string body) {
    beast::http::request<beast::http::string_body> request;
    request.method_string(method);
    request.target(target);
    request.version(11);
    request.set(beast::http::field::host, "docker");
    if (!body.empty()) {
        request.set(beast::http::field::content_type, "application/json");
        request.body() = std::move(body);
    }
    request.prepare_payload();
    co_await beast::http::async_write(connection.socket, request, asio::use_awaitable);
    beast::http::response_parser<beast::http::string_body> parser;
    parser.body_limit(kLargestAnswer);
    if (method == "HEAD") parser.skip(true);
    co_await beast::http::async_read(connection.socket, connection.buffer, parser, asio::use_awaitable);
    connection.keep = parser.get().keep_alive();
    co_return EngineAnswer{static_cast<int>(parser.get().result_int()), std::move(parser.get().body())};
}

Task<int> EngineClient::stream(std::string method, std::string target, std::function<void(int)> on_open,
                               std::function<void(std::string_view)> on_data,
                               std::optional<std::chrono::milliseconds> silence) {
    if (version_.empty()) co_await negotiate();
    auto connection = co_await connect();
    beast::http::request<beast::http::empty_body> request;
    request.method_string(method);
    request.target("/v" + version_ + target);
    request.version(11);
    request.set(beast::http::field::host, "docker");
    request.prepare_payload();
    beast::http::response_parser<beast::http::buffer_body> parser;
    parser.body_limit(boost::none);
    error_code ec;
    co_await beast::http::async_write(connection->socket, request,
                                      asio::redirect_error(asio::use_awaitable, ec));
    if (!ec) {
        co_await beast::http::async_read_header(connection->socket, connection->buffer, parser,
                                                asio::redirect_error(asio::use_awaitable, ec));
    }
    if (ec == asio::error::operation_aborted) throw boost::system::system_error(ec);
    if (ec) {
        version_.clear();
        throw_unavailable(ec.message());
    }
    const int status = static_cast<int>(parser.get().result_int());
    on_open(status);
    std::array<char, 16384> piece{};
    const auto read_piece = [](Connection* from, decltype(parser)* into, error_code* failure) -> Task<> {
        co_await beast::http::async_read(from->socket, from->buffer, *into,
                                         asio::redirect_error(asio::use_awaitable, *failure));
    };
    while (!parser.is_done()) {
        parser.get().body().data = piece.data();
        parser.get().body().size = piece.size();
        bool in_time = true;
        if (silence) {
            in_time =
                co_await base::with_timeout(clock_, *silence, read_piece(connection.get(), &parser, &ec));
        } else {
            co_await read_piece(connection.get(), &parser, &ec);
        }
        if (!in_time) {
            throw Error(ErrorCode::kTimeout, "runtime_timeout",
                        "The container engine fell silent; try again.");
        }
        if (ec == asio::error::operation_aborted) throw boost::system::system_error(ec);
        const auto got = piece.size() - parser.get().body().size;
        if (got > 0) on_data(std::string_view(piece.data(), got));
        if (ec == beast::http::error::need_buffer) ec = {};
        if (ec) throw_unavailable(ec.message());
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
