// Large bodies, down and up.
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <charconv>

#include "runtime/docker/engine_connection.hpp"

namespace agentdb9::runtime::docker {

using boost::system::error_code;
namespace beast = boost::beast;

namespace {

constexpr std::size_t kPiece = std::size_t{256} << 10;
constexpr std::size_t kLongestRefusal = std::size_t{64} << 10;

}  // namespace

Task<EngineAnswer> EngineClient::download(std::string target, base::ByteSink& sink,
                                          std::chrono::milliseconds silence) {
    const auto what = "GET " + target;
    auto opened = co_await base::with_timeout(clock_, silence, open_stream("GET", std::move(target)));
    if (!opened) throw_timeout(what);
    auto& stream = **opened;
    EngineAnswer answer{static_cast<int>(stream.parser.get().result_int()), {}};
    std::vector<char> piece(kPiece);
    while (!stream.parser.is_done()) {
        const auto got = co_await base::with_timeout(clock_, silence, read_piece(stream, piece));
        if (!got) throw_timeout(what);
        const auto bytes = std::span(piece).first(*got);
        if (answer.ok()) {
            if (!bytes.empty()) co_await sink.write(bytes);
        } else if (answer.body.size() < kLongestRefusal) {
            answer.body.append(bytes.data(), bytes.size());
        }
    }
    co_return answer;
}

// RFC 9112 section 7.1: what comes from the source has no length that could be told before.
Task<> EngineClient::send_chunk(Connection& connection, std::span<const char> bytes) {
    std::array<char, 20> size{};
    auto* end = std::to_chars(size.data(), size.data() + 16, bytes.size(), 16).ptr;
    *end++ = '\r';
    *end++ = '\n';
    const std::array<asio::const_buffer, 3> parts{
        asio::buffer(size.data(), static_cast<std::size_t>(end - size.data())),
        asio::buffer(bytes.data(), bytes.size()), asio::buffer("\r\n", 2)};
    co_await asio::async_write(connection.socket, parts, asio::use_awaitable);
}

Task<EngineClient::ConnectionPtr> EngineClient::open_upload(std::string method, std::string target) {
    const auto version = version_.empty() ? co_await negotiate() : version_;
    auto connection = co_await connect();
    beast::http::request<beast::http::empty_body> request;
    request.method_string(method);
    request.target("/v" + version + target);
    request.version(11);
    request.set(beast::http::field::host, "docker");
    request.set(beast::http::field::content_type, "application/x-tar");
    request.chunked(true);
    beast::http::request_serializer<beast::http::empty_body> head(request);
    co_await beast::http::async_write_header(connection->socket, head, asio::use_awaitable);
    co_return connection;
}

Task<EngineAnswer> EngineClient::read_answer(Connection& connection) {
    beast::http::response_parser<beast::http::string_body> parser;
    parser.body_limit(kLongestRefusal);
    co_await beast::http::async_read(connection.socket, connection.buffer, parser, asio::use_awaitable);
    co_return EngineAnswer{static_cast<int>(parser.get().result_int()), std::move(parser.get().body())};
}

Task<EngineAnswer> EngineClient::upload(std::string method, std::string target, base::ByteSource& source,
                                        std::chrono::milliseconds silence) {
    const auto what = method + " " + target;
    error_code broken;
    std::optional<EngineAnswer> answer;
    try {
        auto opened =
            co_await base::with_timeout(clock_, silence, open_upload(std::move(method), std::move(target)));
        if (!opened) throw_timeout(what);
        auto& connection = **opened;
        std::vector<char> piece(kPiece);
        for (;;) {
            const auto got = co_await source.read(piece);
            // One that refuses answers before it has read everything, and closes.
            const bool sent = co_await send_within(connection, std::span(piece).first(got), silence, what);
            if (got == 0 || !sent) break;
        }
        answer = co_await base::with_timeout(clock_, silence, read_answer(connection));
        if (!answer) throw_timeout(what);
    } catch (const boost::system::system_error& failure) {
        if (failure.code() == asio::error::operation_aborted) throw;
        broken = failure.code();
    }
    if (broken) {
        forget_engine();
        throw_unavailable(broken.message());
    }
    co_return std::move(*answer);
}

Task<bool> EngineClient::send_within(Connection& connection, std::span<const char> bytes,
                                     std::chrono::milliseconds silence, std::string what) {
    error_code broken;
    try {
        if (!co_await base::with_timeout(clock_, silence, send_chunk(connection, bytes))) throw_timeout(what);
    } catch (const boost::system::system_error& failure) {
        if (failure.code() == asio::error::operation_aborted) throw;
        broken = failure.code();
    }
    co_return !broken;
}

}  // namespace agentdb9::runtime::docker
