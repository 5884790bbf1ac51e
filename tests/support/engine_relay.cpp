#include "support/engine_relay.hpp"

#include <array>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <cstdlib>
#include <filesystem>
#include <set>

namespace agentdb9::test {

using asio::local::stream_protocol;
using boost::system::error_code;

struct EngineRelay::State {
    State(asio::io_context& io, std::string socket)
        : context(io), engine_socket(std::move(socket)), acceptor(io) {
        std::string path = (std::filesystem::temp_directory_path() / "agentdb9-relay-XXXXXX").string();
        if (::mkdtemp(path.data()) == nullptr) std::abort();
        directory = path;
        acceptor.open();
        acceptor.bind(stream_protocol::endpoint((directory / "engine.sock").string()));
        acceptor.listen();
    }
    ~State() {
        error_code ec;
        std::filesystem::remove_all(directory, ec);
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    static Task<> accept(std::shared_ptr<State> state);
    static Task<> copy(std::shared_ptr<stream_protocol::socket> from,
                       std::shared_ptr<stream_protocol::socket> to);

    asio::io_context& context;
    std::string engine_socket;
    std::filesystem::path directory;
    stream_protocol::acceptor acceptor;
    std::set<std::weak_ptr<stream_protocol::socket>, std::owner_less<>> sockets;
};

Task<> EngineRelay::State::copy(std::shared_ptr<stream_protocol::socket> from,
                                std::shared_ptr<stream_protocol::socket> to) {
    std::array<char, 65536> buffer{};
    error_code ec;
    while (!ec) {
        const auto size = co_await from->async_read_some(asio::buffer(buffer),
                                                         asio::redirect_error(asio::use_awaitable, ec));
        if (ec) break;
        co_await asio::async_write(*to, asio::buffer(buffer, size),
                                   asio::redirect_error(asio::use_awaitable, ec));
    }
    error_code ignored;
    from->shutdown(stream_protocol::socket::shutdown_both, ignored);
    to->shutdown(stream_protocol::socket::shutdown_both, ignored);
}

Task<> EngineRelay::State::accept(std::shared_ptr<State> state) {
    for (;;) {
        auto near = std::make_shared<stream_protocol::socket>(state->context);
        auto far = std::make_shared<stream_protocol::socket>(state->context);
        error_code ec;
        co_await state->acceptor.async_accept(*near, asio::redirect_error(asio::use_awaitable, ec));
        if (ec) co_return;
        far->connect(stream_protocol::endpoint(state->engine_socket), ec);
        if (ec) continue;
        std::erase_if(state->sockets, [](const auto& socket) { return socket.expired(); });
        state->sockets.insert(near);
        state->sockets.insert(far);
        asio::co_spawn(state->context, copy(near, far), [](std::exception_ptr) {});
        asio::co_spawn(state->context, copy(far, near), [](std::exception_ptr) {});
    }
}

EngineRelay::EngineRelay(asio::io_context& context, std::string engine_socket)
    : state_(std::make_shared<State>(context, std::move(engine_socket))) {
    asio::co_spawn(context, State::accept(state_), [](std::exception_ptr) {});
}

EngineRelay::~EngineRelay() {
    error_code ec;
    state_->acceptor.close(ec);
    break_all();
}

std::string EngineRelay::host() const {
    return "unix://" + (state_->directory / "engine.sock").string();
}

void EngineRelay::break_all() {
    for (const auto& each : state_->sockets) {
        if (const auto socket = each.lock()) {
            error_code ec;
            socket->shutdown(stream_protocol::socket::shutdown_both, ec);
        }
    }
    state_->sockets.clear();
}

}  // namespace agentdb9::test
