// The wire: connections, requests, and how answers break.
#include "support/fake_engine.hpp"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cstdlib>
#include <filesystem>

namespace agentdb9::test {

namespace beast = boost::beast;
using asio::local::stream_protocol;
using boost::system::error_code;

// Outlives the engine in its coroutines.
struct FakeEngine::Wire : std::enable_shared_from_this<FakeEngine::Wire> {
    Wire(asio::io_context& io, VirtualClock& time) : context(io), clock(time), acceptor(io) {
        std::string path = (std::filesystem::temp_directory_path() / "agentdb9-engine-XXXXXX").string();
        if (::mkdtemp(path.data()) == nullptr) std::abort();
        directory = path;
    }
    ~Wire() {
        error_code ec;
        std::filesystem::remove_all(directory, ec);
    }
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;

    static Task<> accept(std::shared_ptr<Wire> wire);
    static Task<> serve(std::shared_ptr<Wire> wire, std::size_t number);
    static Task<bool> say(std::shared_ptr<Wire> wire, std::shared_ptr<stream_protocol::socket> socket,
                          FakeReply reply);

    asio::io_context& context;
    VirtualClock& clock;
    std::filesystem::path directory;
    stream_protocol::acceptor acceptor;
    std::map<std::size_t, std::shared_ptr<stream_protocol::socket>> sockets;
    std::size_t accepted = 0;
    FakeEngine* engine = nullptr;  // none when it is gone
};

Task<> FakeEngine::Wire::accept(std::shared_ptr<Wire> wire) {
    for (;;) {
        error_code ec;
        auto socket = std::make_shared<stream_protocol::socket>(wire->context);
        co_await wire->acceptor.async_accept(*socket, asio::redirect_error(asio::use_awaitable, ec));
        if (ec) co_return;
        const auto number = ++wire->accepted;
        wire->sockets[number] = std::move(socket);
        asio::co_spawn(wire->context, serve(wire, number), [](std::exception_ptr error) {
            if (error) std::rethrow_exception(error);
        });
    }
}

Task<> FakeEngine::Wire::serve(std::shared_ptr<Wire> wire, std::size_t number) {
    const auto socket = wire->sockets[number];
    beast::flat_buffer buffer;
    for (;;) {
        error_code ec;
        beast::http::request_parser<beast::http::string_body> parser;
        co_await beast::http::async_read(*socket, buffer, parser,
                                         asio::redirect_error(asio::use_awaitable, ec));
        if (ec || wire->engine == nullptr) break;
        FakeRequest request{.method = std::string(parser.get().method_string()),
                            .target = std::string(parser.get().target()),
                            .path = {},
                            .body = {},
                            .connection = number};
        const auto version_end = request.target.find('/', 1);
        const bool versioned = request.target.starts_with("/v1.") && version_end != std::string::npos;
        request.path = versioned ? request.target.substr(version_end) : request.target;
        request.text = std::move(parser.get().body());
        boost::system::error_code no_json;
        if (!request.text.empty()) request.body = json::parse(request.text, no_json);
        auto reply = wire->engine->answer(std::move(request));
        const auto then = reply.then;
        if (!co_await say(wire, socket, std::move(reply))) break;
        if (then == FakeReply::Then::kClose) break;
        if (then == FakeReply::Then::kFinish) socket->shutdown(stream_protocol::socket::shutdown_send, ec);
        if (then != FakeReply::Then::kKeep) {
            char byte = 0;
            co_await socket->async_read_some(asio::buffer(&byte, 1),
                                             asio::redirect_error(asio::use_awaitable, ec));
            break;
        }
    }
    error_code ec;
    socket->close(ec);
    wire->sockets.erase(number);
}

Task<bool> FakeEngine::Wire::say(std::shared_ptr<Wire> wire, std::shared_ptr<stream_protocol::socket> socket,
                                 FakeReply reply) {
    error_code ec;
    if (reply.delay.count() > 0) co_await wire->clock.sleep_for(reply.delay);
    if (reply.byte_pause.count() == 0) {
        co_await asio::async_write(*socket, asio::buffer(reply.bytes),
                                   asio::redirect_error(asio::use_awaitable, ec));
        co_return !ec;
    }
    for (const char byte : reply.bytes) {
        co_await asio::async_write(*socket, asio::buffer(&byte, 1),
                                   asio::redirect_error(asio::use_awaitable, ec));
        if (ec) co_return false;
        co_await wire->clock.sleep_for(reply.byte_pause);
    }
    co_return true;
}

FakeEngine::FakeEngine(asio::io_context& context, VirtualClock& clock)
    : wire_(std::make_shared<Wire>(context, clock)) {
    wire_->engine = this;
    start();
}

FakeEngine::~FakeEngine() {
    wire_->engine = nullptr;
    stop();
    close_all();
}

std::string FakeEngine::socket_path() const {
    return (wire_->directory / "engine.sock").string();
}

void FakeEngine::start(int backlog, bool accepts) {
    const auto path = socket_path();
    std::filesystem::remove(path);
    wire_->acceptor = stream_protocol::acceptor(wire_->context);
    wire_->acceptor.open();
    wire_->acceptor.bind(stream_protocol::endpoint(path));
    wire_->acceptor.listen(backlog);
    if (accepts) asio::co_spawn(wire_->context, Wire::accept(wire_), [](std::exception_ptr) {});
}

void FakeEngine::stop() {
    error_code ec;
    wire_->acceptor.close(ec);
}

void FakeEngine::send(std::size_t connection, std::string_view bytes) {
    wire_->sockets.at(connection)->send(asio::buffer(bytes));
}

void FakeEngine::close(std::size_t connection) {
    // shutdown() ends also the read that is under way; the coroutine then closes.
    if (const auto found = wire_->sockets.find(connection); found != wire_->sockets.end()) {
        error_code ec;
        found->second->shutdown(stream_protocol::socket::shutdown_both, ec);
    }
}

void FakeEngine::close_all() {
    for (const auto& [number, socket] : wire_->sockets) {
        error_code ec;
        socket->shutdown(stream_protocol::socket::shutdown_both, ec);
    }
}

std::size_t FakeEngine::accepted() const {
    return wire_->accepted;
}

std::size_t FakeEngine::open_connections() const {
    return wire_->sockets.size();
}

std::vector<std::string> FakeEngine::calls() const {
    std::vector<std::string> calls;
    for (const auto& request : requests)
        calls.push_back(request.method + " " + request.path.substr(0, request.path.find('?')));
    return calls;
}

FakeReply FakeEngine::answer(FakeRequest request) {
    requests.push_back(request);
    if (script) {
        if (auto scripted = script(request)) return std::move(*scripted);
    }
    auto modelled = model(request);
    if (after) {
        if (auto scripted = after(request)) return std::move(*scripted);
    }
    return modelled;
}

FakeReply reply(int status, const json::value& body) {
    std::string bytes = "HTTP/1.1 " + std::to_string(status) + " Status\r\nApi-Version: 1.41\r\n";
    if (status == 204 || status == 304) return {.bytes = bytes + "\r\n"};
    const auto text = json::serialize(body);
    bytes += "Content-Type: application/json\r\nContent-Length: " + std::to_string(text.size());
    return {.bytes = bytes + "\r\n\r\n" + text};
}

FakeReply refusal(int status, std::string_view message) {
    return reply(status, json::object{{"message", message}});
}

FakeReply raw(std::string bytes, FakeReply::Then then) {
    return {.bytes = std::move(bytes), .then = then};
}

FakeReply chunked(const std::vector<std::string>& chunks, FakeReply::Then then) {
    std::string bytes =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const auto& each : chunks)
        bytes += chunk(each);
    return {.bytes = std::move(bytes), .then = then};
}

std::string chunk(std::string_view text) {
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string size;
    for (auto rest = text.size(); rest > 0 || size.empty(); rest /= 16)
        size.insert(size.begin(), kHex[rest % 16]);
    return size + "\r\n" + std::string(text) + "\r\n";
}

}  // namespace agentdb9::test
