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
constexpr std::size_t kFollowedPiece = std::size_t{16} << 10;
constexpr std::chrono::seconds kHeadLimit{15};
constexpr std::size_t kLongestRefusal = std::size_t{64} << 10;

}  // namespace

// How long the engine has been silent. One watch over a whole transfer, for a deadline of each piece's own
// costs more than the piece.
class EngineClient::Silence {
  public:
    Silence(base::Clock& clock, std::chrono::milliseconds limit) : clock_(clock), limit_(limit) {}

    void over() { since_.reset(); }
    void begins() { since_ = clock_.steady_now(); }
    // Ends when it has lasted too long.
    Task<> too_long() {
        for (;;) {
            const auto passed = since_ ? clock_.steady_now() - *since_ : std::chrono::nanoseconds(0);
            if (passed >= limit_) co_return;
            co_await clock_.sleep_for(std::chrono::ceil<std::chrono::milliseconds>(limit_ - passed));
        }
    }

  private:
    base::Clock& clock_;
    std::chrono::milliseconds limit_;
    std::optional<base::SteadyTime> since_;
};

Task<EngineAnswer> EngineClient::download(std::string target, base::ByteSink& sink,
                                          std::chrono::milliseconds limit) {
    const auto what = "GET " + target;
    Silence silence(clock_, limit);
    EngineAnswer answer;
    if (!co_await base::run_unless(silence.too_long(), receive(std::move(target), sink, silence, answer)))
        throw_timeout(what);
    co_return answer;
}

Task<> EngineClient::receive(std::string target, base::ByteSink& sink, Silence& silence,
                             EngineAnswer& answer) {
    silence.begins();
    const auto stream = co_await open_stream("GET", std::move(target));
    // Beast reads as much at a time as the buffer has room for.
    stream->connection->buffer.reserve(kPiece);
    answer.status = static_cast<int>(stream->parser.get().result_int());
    std::vector<char> piece(kPiece);
    while (!stream->parser.is_done()) {
        silence.begins();
        const auto bytes = std::span(piece).first(co_await read_piece(*stream, piece));
        silence.over();
        co_await deliver(answer, bytes, sink);
    }
}

Task<> EngineClient::deliver(EngineAnswer& answer, std::span<const char> bytes, base::ByteSink& sink) {
    if (answer.ok()) {
        if (!bytes.empty()) co_await sink.write(bytes);
    } else if (answer.body.size() < kLongestRefusal) {
        answer.body.append(bytes.data(), bytes.size());
    }
}

Task<EngineAnswer> EngineClient::follow(std::string target, base::ByteSink& sink) {
    const auto what = "GET " + target;
    auto opened = co_await base::with_timeout(clock_, kHeadLimit, open_stream("GET", std::move(target)));
    if (!opened) throw_timeout(what);
    auto& stream = **opened;
    EngineAnswer answer;
    answer.status = static_cast<int>(stream.parser.get().result_int());
    std::vector<char> piece(kFollowedPiece);
    while (!stream.parser.is_done()) {
        const auto bytes = std::span(piece).first(co_await read_piece(stream, piece));
        co_await deliver(answer, bytes, sink);
    }
    co_return answer;
}

// RFC 9112 section 7.1: what comes from the source has no length that could be told before.
Task<> EngineClient::send_chunk(Connection& connection, std::span<const char> bytes, error_code& broken) {
    std::array<char, 20> size{};
    auto* end = std::to_chars(size.data(), size.data() + 16, bytes.size(), 16).ptr;
    *end++ = '\r';
    *end++ = '\n';
    const std::array<asio::const_buffer, 3> parts{
        asio::buffer(size.data(), static_cast<std::size_t>(end - size.data())),
        asio::buffer(bytes.data(), bytes.size()), asio::buffer("\r\n", 2)};
    co_await asio::async_write(connection.socket, parts, asio::redirect_error(asio::use_awaitable, broken));
    if (broken == asio::error::operation_aborted) throw boost::system::system_error(broken);
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
                                        std::chrono::milliseconds limit) {
    const auto what = method + " " + target;
    Silence silence(clock_, limit);
    EngineAnswer answer;
    error_code broken;
    try {
        if (!co_await base::run_unless(silence.too_long(),
                                       send(std::move(method), std::move(target), source, silence, answer)))
            throw_timeout(what);
    } catch (const boost::system::system_error& failure) {
        if (failure.code() == asio::error::operation_aborted) throw;
        broken = failure.code();
    }
    if (broken) {
        forget_engine();
        throw_unavailable(broken.message());
    }
    co_return answer;
}

Task<> EngineClient::send(std::string method, std::string target, base::ByteSource& source, Silence& silence,
                          EngineAnswer& answer) {
    silence.begins();
    const auto connection = co_await open_upload(std::move(method), std::move(target));
    std::vector<char> piece(kPiece);
    for (;;) {
        silence.over();
        const auto got = co_await source.read(piece);
        silence.begins();
        error_code broken;
        co_await send_chunk(*connection, std::span(piece).first(got), broken);
        // One that refuses answers before it has read everything, and closes.
        if (got == 0 || broken) break;
    }
    answer = co_await read_answer(*connection);
}

}  // namespace agentdb9::runtime::docker
