#include "runtime/docker/probe.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

namespace agentdb9::runtime::docker {
namespace {

using boost::system::error_code;

constexpr std::chrono::milliseconds kForwarderGivesUp(100);

Task<std::size_t> read_a_byte(asio::ip::tcp::socket& socket, char& byte) {
    error_code ec;
    const auto size = co_await socket.async_read_some(asio::buffer(&byte, 1),
                                                      asio::redirect_error(asio::use_awaitable, ec));
    if (ec == asio::error::operation_aborted) throw boost::system::system_error(ec);
    co_return size;
}

Task<bool> ask(base::Clock& clock, model::Endpoint endpoint, std::optional<std::string> path,
               bool forwarded) {
    error_code ec;
    const auto address = asio::ip::make_address(endpoint.host, ec);
    if (ec) co_return false;
    asio::ip::tcp::socket socket(co_await asio::this_coro::executor);
    co_await socket.async_connect({address, static_cast<std::uint16_t>(endpoint.port)},
                                  asio::redirect_error(asio::use_awaitable, ec));
    if (ec) co_return false;
    if (!path && forwarded) {
        char byte = 0;
        const auto read = co_await base::with_timeout(clock, kForwarderGivesUp, read_a_byte(socket, byte));
        co_return !read || *read > 0;
    }
    if (!path) co_return true;
    const std::string request = "GET " + *path + " HTTP/1.1\r\nHost: " + endpoint.host + ":" +
                                std::to_string(endpoint.port) +
                                "\r\nUser-Agent: agentdb9-probe\r\nAccept: */*\r\nConnection: close\r\n\r\n";
    co_await asio::async_write(socket, asio::buffer(request), asio::redirect_error(asio::use_awaitable, ec));
    if (ec) co_return false;
    std::string answer;
    co_await asio::async_read_until(socket, asio::dynamic_buffer(answer, 16384), '\n',
                                    asio::redirect_error(asio::use_awaitable, ec));
    if (ec) co_return false;
    // "HTTP/1.1 200 …"
    co_return answer.size() > 12 && answer.starts_with("HTTP/1.") && answer[9] >= '1' && answer[9] <= '4';
}

}  // namespace

Task<bool> answers(base::Clock& clock, model::Endpoint endpoint, std::optional<std::string> path,
                   bool forwarded, std::chrono::milliseconds limit) {
    const auto answer = co_await base::with_timeout(
        clock, limit, ask(clock, std::move(endpoint), std::move(path), forwarded));
    co_return answer.value_or(false);
}

}  // namespace agentdb9::runtime::docker
