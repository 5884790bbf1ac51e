#include "runtime/docker/hijacked.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <cstring>

#include "base/error.hpp"

namespace agentdb9::runtime::docker {

namespace beast = boost::beast;
using boost::system::error_code;

namespace {

constexpr std::size_t kLongestRefusal = std::size_t{64} << 10;

void throw_if_cancelled(const error_code& ec) {
    if (ec == asio::error::operation_aborted) throw boost::system::system_error(ec);
}

}  // namespace

Task<EngineClient::Hijack> EngineClient::hijack(std::string target, json::value body,
                                                std::chrono::milliseconds limit) {
    const auto what = "POST " + target;
    std::optional<Hijack> opened;
    error_code broken;
    try {
        opened =
            co_await base::with_timeout(clock_, limit, open_hijack(std::move(target), json::serialize(body)));
    } catch (const boost::system::system_error& failure) {
        if (failure.code() == asio::error::operation_aborted) throw;
        broken = failure.code();
    }
    if (broken) {
        forget_engine();
        throw_unavailable(broken.message());
    }
    if (!opened) throw_timeout(what);
    co_return std::move(*opened);
}

Task<EngineClient::Hijack> EngineClient::open_hijack(std::string target, std::string body) {
    const auto version = version_.empty() ? co_await negotiate() : version_;
    // Of its own: what is sent twice is run twice.
    auto connection = co_await connect();
    beast::http::request<beast::http::string_body> request;
    request.method(beast::http::verb::post);
    request.target("/v" + version + target);
    request.version(11);
    request.set(beast::http::field::host, "docker");
    request.set(beast::http::field::content_type, "application/json");
    request.set(beast::http::field::connection, "Upgrade");
    request.set(beast::http::field::upgrade, "tcp");
    request.body() = std::move(body);
    request.prepare_payload();
    co_await beast::http::async_write(connection->socket, request, asio::use_awaitable);
    beast::http::response_parser<beast::http::string_body> parser;
    parser.body_limit(kLongestRefusal);
    co_await beast::http::async_read_header(connection->socket, connection->buffer, parser,
                                            asio::use_awaitable);
    Hijack result;
    result.answer.status = static_cast<int>(parser.get().result_int());
    // Without the upgrade, which a proxy before the engine may have taken away, it goes on with bytes all the
    // same; that proxy then passes none to the engine.
    if (result.answer.status == 101 || result.answer.status == 200) {
        result.both_ways = result.answer.status == 101;
        result.answer.status = 200;
        result.stream = std::make_unique<Hijacked>(std::move(connection));
        co_return result;
    }
    if (!parser.is_done())
        co_await beast::http::async_read(connection->socket, connection->buffer, parser, asio::use_awaitable);
    result.answer.body = std::move(parser.get().body());
    co_return result;
}

Hijacked::Hijacked(std::unique_ptr<EngineClient::Connection> connection)
    : connection_(std::move(connection)) {}

Hijacked::~Hijacked() = default;

Task<std::size_t> Hijacked::read(std::span<char> room) {
    // What came with the head.
    auto& buffer = connection_->buffer;
    if (buffer.size() > 0) {
        const auto amount = std::min(room.size(), buffer.size());
        std::memcpy(room.data(), buffer.data().data(), amount);
        buffer.consume(amount);
        co_return amount;
    }
    error_code ec;
    const auto got = co_await connection_->socket.async_read_some(
        asio::buffer(room.data(), room.size()), asio::redirect_error(asio::use_awaitable, ec));
    throw_if_cancelled(ec);
    // Closed before all input was read: whether that was the end is the exit code's to say.
    if (ec == asio::error::eof || ec == asio::error::connection_reset) co_return 0;
    if (ec) {
        throw base::Error(base::ErrorCode::kUnavailable, "runtime_unavailable",
                          "The connection to the container engine broke off; whether the command goes on is "
                          "not known.")
            .with_internal(ec.message());
    }
    co_return got;
}

Task<bool> Hijacked::write(std::span<const char> bytes) {
    error_code ec;
    co_await asio::async_write(connection_->socket, asio::buffer(bytes.data(), bytes.size()),
                               asio::redirect_error(asio::use_awaitable, ec));
    throw_if_cancelled(ec);
    co_return !ec;
}

void Hijacked::shutdown_send() {
    error_code ignored;
    connection_->socket.shutdown(asio::socket_base::shutdown_send, ignored);
}

}  // namespace agentdb9::runtime::docker
